"""`--client`: configured clients for single calls, prototypes where none is meant."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from connector.cli.app import app
from tests.upstream import upstream

TWO = """
clients:
  team-a:
    prototype: openai
    parameters: {token: "${TEAM_KEY}", baseUri: "%s", organization: org-a, timeouts: {read: 7}}
  shop: {prototype: http, parameters: {base_uri: "http://127.0.0.1:9/shop", headers: {X-Key: "${SHOP_KEY}"}}}
incoming:
  tickets: {subscriber: {prototype: file, parameters: {url: in.jsonl}}}
"""
ONE = """
clients:
  eu: {prototype: openai, parameters: {region: eu, token: "${TEAM_KEY}"}}
"""
Run = Callable[..., Any]


@pytest.fixture(scope="module")
def base_uri() -> Iterator[str]:
    with upstream() as address:
        yield address


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, base_uri: str) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TEAM_KEY", "sk-team-0123456789abcdef")
    monkeypatch.setenv("SHOP_KEY", "shop-0123456789abcdef")
    monkeypatch.setenv("OPENAI_API_KEY", "sk-env-0123456789abcdef")
    monkeypatch.delenv("OPENAI_BASE_URL", raising=False)
    (tmp_path / "connector.yaml").write_text(TWO % base_uri)
    return tmp_path


@pytest.fixture
def run() -> Run:
    def run(*words: str, stdin: str = "") -> Any:
        result = CliRunner().invoke(app, list(words), input=stdin)
        assert "0123456789abcdef" not in result.output
        return result

    return run


def shown(result: Any) -> Any:
    assert result.exit_code == 0, (result.output, result.exception)
    return json.loads(result.stdout)


@pytest.mark.parametrize(
    "words",
    [["call", "models"], ["call", "GetModels"], ["curl", "/v1/models"], ["subscribe", "models"],
     ["call", "--from", "r.jsonl"]],
    ids=" ".join,
)  # fmt: skip
@pytest.mark.parametrize("source", [[], ["-f", "connector.yaml"], ["-f", "."]], ids=" ".join)
def test_a_configured_client_calls(folder: Path, run: Run, words: list[str], source: list[str]) -> None:
    (folder / "r.jsonl").write_text('{"operation": "GET /models"}\n')
    result = run(*words, "--client", "team-a", *source)
    assert result.exit_code == 0, result.output
    assert "gpt-6-luna" in result.stdout


@pytest.mark.parametrize(
    "words", [["explain", "models"], ["call", "models", "--dry-run"], ["curl", "/models", "--dry-run"]]
)
def test_a_configured_client_is_shown(folder: Path, run: Run, base_uri: str, words: list[str]) -> None:
    explained = shown(run(*words, "--client", "team-a"))
    assert explained["url"] == f"{base_uri}/models"
    assert explained["headers"]["openai-organization"] == "org-a"


def test_a_configuration_elsewhere_gives_its_clients(
    folder: Path, run: Run, monkeypatch: pytest.MonkeyPatch, base_uri: str
) -> None:
    (folder / "elsewhere").mkdir()
    monkeypatch.chdir(folder / "elsewhere")
    assert (
        shown(run("explain", "models", "--client", "team-a", "-f", "../connector.yaml"))["url"] == f"{base_uri}/models"
    )
    monkeypatch.setenv("OPENAI_CONNECTOR_CONFIG", str(folder / "connector.yaml"))
    assert shown(run("explain", "models", "--client", "team-a"))["url"] == f"{base_uri}/models"


def test_several_clients_have_no_default(folder: Path, run: Run) -> None:
    for words in (["call", "models"], ["explain", "models"], ["subscribe", "models"], ["curl", "/v1/models"]):
        result = run(*words)
        assert result.exit_code != 0
        assert "connector.yaml configures 2 clients, team-a, shop: say which with --client NAME" in str(
            result.exception
        )


def test_the_only_client_is_the_default(folder: Path, run: Run) -> None:
    (folder / "connector.yaml").write_text(ONE)
    assert shown(run("explain", "models"))["url"] == "https://eu.api.openai.com/v1/models"


@pytest.mark.parametrize(
    "text", ["", "{}", "incoming: {a: {subscriber: {prototype: file, parameters: {url: a.jsonl}}}}"]
)
def test_without_a_configured_client_the_environment_gives_one(folder: Path, run: Run, text: str) -> None:
    (folder / "connector.yaml").write_text(text)
    assert shown(run("explain", "models"))["url"] == "https://api.openai.com/v1/models"
    (folder / "connector.yaml").unlink()
    assert shown(run("explain", "models"))["url"] == "https://api.openai.com/v1/models"


def test_a_configured_name_goes_before_a_prototype_of_the_same(folder: Path, run: Run, base_uri: str) -> None:
    (folder / "connector.yaml").write_text((TWO % base_uri).replace("team-a", "openai"))
    assert shown(run("explain", "models", "--client", "openai"))["url"] == f"{base_uri}/models"
    compatible = run("explain", "models", "--client", "openai-compatible", "--base-uri", "http://127.0.0.1:9/v1")
    assert shown(compatible)["url"] == "http://127.0.0.1:9/v1/models"


def test_options_go_before_what_is_configured(folder: Path, run: Run, base_uri: str) -> None:
    given = ["--base-uri", "http://127.0.0.1:9/v1", "--organization", "org-b", "--parameter", "timeouts.connect=3"]
    explained = shown(run("explain", "models", "--client", "team-a", *given))
    assert explained["url"] == "http://127.0.0.1:9/v1/models"
    assert explained["headers"]["openai-organization"] == "org-b"
    (folder / "connector.yaml").write_text(ONE)
    assert (
        shown(run("explain", "models", "--base-url", "http://127.0.0.1:9/v1"))["url"] == "http://127.0.0.1:9/v1/models"
    )


def test_a_key_given_with_the_command_needs_no_configured_one(
    folder: Path, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("TEAM_KEY")
    assert run("call", "models", "--client", "team-a", "--token", "sk-own-0123456789abcdef").exit_code == 0
    missing = run("call", "models", "--client", "team-a")
    assert missing.exit_code != 0
    assert "${TEAM_KEY} is not set" in str(missing.exception)


def test_a_request_is_shown_without_the_key_that_is_not_set(
    folder: Path, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("TEAM_KEY")
    monkeypatch.delenv("SHOP_KEY")
    monkeypatch.delenv("OPENAI_API_KEY")
    for name in ("team-a", "shop"):
        result = run("explain", "models", "--client", name)
        assert (result.exit_code, json.loads(result.stdout)["method"]) == (0, "GET")
        assert "_KEY} is not set" in result.stderr


@pytest.mark.parametrize(
    "words", [["call", "models"], ["explain", "models"], ["curl", "/models"], ["subscribe", "models"]]
)
def test_an_unknown_name_lists_what_there_is(folder: Path, run: Run, words: list[str]) -> None:
    told = str(run(*words, "--client", "team-b").exception)
    assert "unknown client 'team-b'; did you mean 'team-a'" in told
    assert "configured: team-a, shop; prototypes: openai, azure-openai, openai-compatible, http" in told


def test_a_broken_configuration_is_told_and_gives_way_to_a_prototype(folder: Path, run: Run, base_uri: str) -> None:
    (folder / "connector.yaml").write_text("clients: {team-a: {prototype: opnai}}\n")
    for words in (["call", "models"], ["call", "models", "--client", "team-a"], ["curl", "/v1/models"]):
        result = run(*words)
        assert result.exit_code != 0
        assert "connector.yaml:1:31 clients.team-a.prototype" in str(result.exception)
        assert "name a prototype such as --client openai" in str(result.exception)
    given = ["--client", "openai", "--base-uri", base_uri]
    result = run("call", "models", *given)
    assert result.exit_code == 0
    assert "warning: connector.yaml has faults, so --client openai is the prototype" in result.stderr
    named = run("call", "models", *given, "-f", "connector.yaml")
    assert named.exit_code != 0
    assert "clients.team-a.prototype" in str(named.exception)


def test_a_catalogue_of_ones_own_counts_for_lint_and_for_connections(folder: Path, run: Run, base_uri: str) -> None:
    paths = {"/models": {"get": {"operationId": "listOrders", "responses": {"200": {"description": "d"}}}}}
    (folder / "shop.json").write_text(
        json.dumps({"openapi": "3.1.0", "info": {"title": "a", "version": "1"}, "paths": paths})
    )
    assert run("entities", "import", "shop.json", "--into", "shop-entities").exit_code == 0
    parameters = {"client": "team-a", "entity": "GET /models"}
    text = (TWO % base_uri) + f"  orders: {{subscriber: {{prototype: openai, parameters: {json.dumps(parameters)}}}}}\n"
    (folder / "connector.yaml").write_text(text.replace("GET /models", "listOrders"))
    own = ["--entities", "shop-entities"]
    assert run("lint", *own).exit_code == 0
    assert run("explain", "orders", *own).exit_code == 0
    assert "gpt-6-luna" in run("subscribe", "orders", *own).stdout
    assert run("subscribe", "orders").exit_code != 0
