"""`serve`, `gateway-token` and `curl --gateway` as people use them."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from connector.config.models.gateway import hash_token
from connector.migrate import import_atlas
from tests import warm
from tests.upstream import upstream

ADMINISTRATOR = "gw-administrator-of-tests"
ATLAS = """apiVersion: moment.dev/adapters/v1alpha1
kind: HTTP
metadata:
  name: openai
spec:
  baseUrl: URL
  headers:
    - name: Authorization
      value: Bearer ${{ ATLAS_KEY }}
"""


@pytest.fixture(scope="module")
def base_uri() -> Iterator[str]:
    with upstream() as address:
        yield address


def environment(**more: str) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("OPENAI_")}
    return {**kept, **more}


@contextmanager
def serving(folder: Path, **variables: str) -> Iterator[tuple[str, subprocess.Popen[str]]]:
    """A gateway of the configuration in a folder, and where it listens."""
    process = subprocess.Popen(
        [*warm.command(), "serve", "-f", str(folder), "--port", "0"],
        stderr=subprocess.PIPE, text=True, env=environment(**variables),
    )  # fmt: skip
    assert process.stderr is not None
    told: list[str] = []
    try:
        for line in process.stderr:
            told.append(line)
            if line.startswith("listening on "):
                break
        else:
            pytest.fail("".join(told))
        yield line.removeprefix("listening on ").strip(), process
    finally:
        process.send_signal(signal.SIGTERM)
        rest = process.communicate(timeout=20)[1]
        assert process.returncode == 0, "".join(told) + rest


def run(*words: str, **variables: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*warm.command(), *words], env=environment(**variables), capture_output=True, text=True, timeout=60, check=False
    )


def test_what_was_imported_from_atlas_is_served_as_it_is(tmp_path, base_uri):
    (tmp_path / "atlas.yaml").write_text(ATLAS.replace("URL", base_uri.removesuffix("/v1")))
    import_atlas(tmp_path / "atlas.yaml", tmp_path / "connector")
    variables = {"OPENAI_CONNECTOR_GATEWAY_TOKEN": ADMINISTRATOR, "ATLAS_KEY": "sk-atlas-123456"}
    with serving(tmp_path / "connector", **variables) as (url, _):
        done = run("curl", "--gateway", url, "/v1/apis/http/openai/v1/files?limit=1", **variables)
        assert done.returncode == 0, done.stderr
        assert json.loads(done.stdout)["status"] == 200


def test_curl_goes_to_a_client_of_the_gateway(tmp_path, base_uri):
    client = {"prototype": "openai", "parameters": {"token": "sk-upstream-123", "base_uri": base_uri}}
    token = {"hash": hash_token("gw-bot"), "allow": ["models *"]}
    document = {"clients": {"openai": client}, "gateway": {"tokens": {"bot": token}}}
    (tmp_path / "connector.json").write_text(json.dumps(document))
    with serving(tmp_path / "connector.json") as (url, _):
        done = run("curl", "--gateway", url, "/v1/models", OPENAI_CONNECTOR_GATEWAY_TOKEN="gw-bot")
        assert done.returncode == 0, done.stderr
        assert json.loads(done.stdout)["body"]["object"] == "list"
        refused = run("curl", "--gateway", url, "/v1/files", "--token", "gw-bot")
        assert refused.returncode == 1
        assert "models *" in refused.stdout


def test_curl_says_what_a_gateway_needs():
    done = run("curl", "--gateway", "http://127.0.0.1:1", "/v1/models")
    assert done.returncode == 2
    assert "OPENAI_CONNECTOR_GATEWAY_TOKEN" in done.stderr
    both = run("curl", "--gateway", "http://127.0.0.1:1", "--base-uri", "http://x", "--token", "t", "/v1/models")
    assert "either" in both.stderr


def test_a_token_is_shown_once_with_the_entry_that_makes_it_known():
    done = run("gateway-token", "support-bot")
    made = json.loads(done.stdout)
    assert made["gateway"] == {"tokens": {"support-bot": {"hash": hash_token(made["token"])}}}
    assert len(made["token"]) > 40
    assert json.loads(run("gateway-token", "support-bot").stdout)["token"] != made["token"]


def test_without_any_token_one_is_made_for_the_run(tmp_path, base_uri):
    client = {"prototype": "openai", "parameters": {"token": "sk-upstream-123", "base_uri": base_uri}}
    (tmp_path / "connector.json").write_text(json.dumps({"clients": {"openai": client}}))
    process = subprocess.Popen(
        [*warm.command(), "serve", "-f", str(tmp_path), "--port", "0"],
        stderr=subprocess.PIPE,
        text=True,
        env=environment(),
    )
    assert process.stderr is not None
    first, second = process.stderr.readline(), process.stderr.readline()
    url, token = second.removeprefix("listening on ").strip(), first.rpartition(" ")[2].strip()
    done = run("curl", "--gateway", url, "/v1/models", "--token", token)
    process.terminate()
    rest = process.communicate(timeout=20)[1]
    assert done.returncode == 0, first + second + done.stderr
    assert token not in rest
    assert "sk-upstream-123" not in rest


def test_a_configuration_without_clients_serves_nobody(tmp_path):
    (tmp_path / "connector.yaml").write_text("gateway: {}\n")
    done = run("serve", "-f", str(tmp_path), OPENAI_CONNECTOR_GATEWAY_TOKEN=ADMINISTRATOR)
    assert done.returncode == 2
    assert "declares no clients" in done.stderr
