"""What an export says and does not say, whatever the proxy."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest

from connector.config.models.gateway import hash_token
from connector.errors import ConfigurationError
from tests import warm
from tests.gateway.export.conftest import BOT, SECRETS, configuration, write_secrets

ADDRESS = "http://127.0.0.1:9/v1"
FILES = {"nginx": "gateway.conf", "envoy": "gateway.yaml"}
both = pytest.mark.parametrize("proxy", ["nginx", "envoy"])


@both
def test_no_secret_stands_in_it(export, proxy):
    written = configuration(ADDRESS)
    written["clients"]["plain"] = {
        "prototype": "openai-compatible", "parameters": {"base_uri": ADDRESS, "token": "sk-canary-written-out"},
    }  # fmt: skip
    headers = {"Authorization": "Basic sk-canary-basic", "X-Trace": "${TRACE} sk-canary"}
    written["clients"]["other"] = {"prototype": "http", "parameters": {"base_uri": ADDRESS, "headers": headers}}
    printed = export(written, proxy, {**SECRETS, "TRACE": "sk-canary-trace"})
    assert "sk-canary" not in printed
    assert BOT not in printed
    for variable in ("UPSTREAM_KEY", "ADMIN_KEY", "PLAIN_TOKEN", "OTHER_AUTHORIZATION", "OTHER_X_TRACE"):
        assert f"${{{variable}:?}}" in printed


@both
def test_the_environment_is_named_when_it_gives_the_key(export, proxy):
    written = {**configuration(ADDRESS), "clients": {"openai": {"prototype": "openai"}}}
    for environ in ({"OPENAI_API_KEY": "sk-canary"}, {}):
        printed = export(written, proxy, environ)
        assert "${OPENAI_API_KEY:?}" in printed
        assert "sk-canary" not in printed
    assert "OPENAI_ADMIN_KEY" not in export(written, proxy, {"OPENAI_API_KEY": "sk-1"})
    assert "${OPENAI_ADMIN_KEY:?}" in export(written, proxy, {"OPENAI_API_KEY": "sk-1", "OPENAI_ADMIN_KEY": "sk-2"})


@both
def test_secrets_come_from_where_the_configuration_says(export, proxy, tmp_path):
    written = configuration(ADDRESS)
    parameters = written["clients"]["openai"]["parameters"]
    (tmp_path / "it's a key").write_text("sk-from-a-file\n")
    parameters |= {"token": f"${{file:{tmp_path}/it's a key}}", "admin_token": "${keyring:openai/admin}"}
    printed = export(written, proxy)
    assert '"$(keyring get openai admin)"' in printed
    parameters["admin_token"] = "${ADMIN_KEY}"
    printed = export(written, proxy)
    (tmp_path / FILES[proxy]).write_text(printed)
    assert write_secrets(tmp_path, printed, SECRETS).returncode == 0
    assert "sk-from-a-file" in next(tmp_path.glob("gateway-secrets.*")).read_text()


@both
@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"GATEWAY_TOKEN_BOT": "gw-another"}, "the token bot has another hash"),
        ({"GATEWAY_TOKEN_BOT": "gw-$(id)"}, "letters, digits"),
        ({"UPSTREAM_KEY": ""}, "UPSTREAM_KEY"),
        ({"UPSTREAM_KEY": 'sk"; } evil'}, "holds quotes"),
        ({"UPSTREAM_KEY": "sk\nevil"}, "line breaks"),
    ],
)
def test_wrong_secrets_are_told_and_not_written(export, proxy, tmp_path, wrong, told):
    printed = export(configuration(ADDRESS), proxy)
    (tmp_path / FILES[proxy]).write_text(printed)
    done = write_secrets(tmp_path, printed, {**SECRETS, **wrong})
    assert done.returncode != 0
    assert told in done.stderr
    assert not list(tmp_path.glob("gateway-secrets.conf")) + list(tmp_path.glob("gateway-*.yaml"))


@both
def test_what_is_lost_is_listed(export, proxy):
    written = configuration(ADDRESS)
    written["prices"] = {"*": {"input": 1, "output": 1}}
    written["gateway"]["tokens"]["bot"] |= {
        "budget": {"amount": 5, "tokens": 100, "every": "day"}, "tokens_per_minute": 1000, "metrics": True,
    }  # fmt: skip
    written["clients"]["openai"]["parameters"]["limits"] = {"concurrency": 7, "requests_per_minute": 60}
    written["clients"]["azure"] = {"prototype": "azure-openai", "parameters": {
        "endpoint": "https://example.openai.azure.com", "api_key": "k", "api_version": "2024-10-21"}}  # fmt: skip
    printed = export(written, proxy, SECRETS)
    comments = "\n".join(line for line in printed.splitlines() if line.startswith("# - "))
    for told in (
        "the budget of bot (5 USD or 100 tokens every day)", "the 1000 tokens a minute of bot", "/usage for bot",
        "the client openai (7 calls at a time, 60 requests a minute)", "the client azure is left out",
        "unknown outcome", "usage and cost", "hashes of gateway tokens",
    ):  # fmt: skip
        assert told in comments
    assert "example.openai.azure.com" not in printed


@both
def test_what_cannot_be_exported_is_told(export, proxy):
    with pytest.raises(ConfigurationError, match="give --port"):
        export(configuration(ADDRESS, listen="127.0.0.1:0"), proxy)
    with pytest.raises(ConfigurationError, match="no token is in force"):
        export({**configuration(ADDRESS), "gateway": {}}, proxy)
    with pytest.raises(ConfigurationError, match="declares no clients"):
        export({**configuration(ADDRESS), "clients": {}}, proxy)
    written = configuration(ADDRESS)
    written["gateway"]["tokens"]["bot"]["allow"] = ["chat completion create"]
    with pytest.raises(ConfigurationError, match="chat completions"):
        export(written, proxy)


def test_the_command_prints_it(tmp_path):
    (tmp_path / "connector.yaml").write_text(
        f"clients: {{openai: {{prototype: openai}}}}\ngateway: {{tokens: {{bot: {{hash: '{hash_token(BOT)}'}}}}}}\n"
    )
    command = [*warm.command(), "serve", "--export", "nginx", "--port", "8800"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("# nginx")
    assert re.search(r"listen 127\.0\.0\.1:8800;", done.stdout)


def test_neither_a_gateway_nor_a_run_loads_what_they_do_not_need():
    program = (
        "import sys\nimport connector.gateway, connector.runtime.runner\n"
        "unused = ('connector.gateway.export', 'connector.sandbox')\n"
        "sys.exit(any(name.startswith(unused) for name in sys.modules))"
    )
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0


@both
def test_pages_are_said_to_be_left_out(export, proxy):
    written = configuration(ADDRESS)
    written["gateway"] |= {"origins": ["https://app.example.com"], "signing_key": "canary-" + "k" * 32}
    printed = export(written, proxy)
    assert "pages in browsers (https://app.example.com): their tokens are signed, expire and belong to one" in printed
    assert "pages in browsers may not call" in printed
    assert "canary" not in printed
