"""`lint`, `schema`, `variables`, `client add|list|test` as a person or a script meets them."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from typer import Typer
from typer.testing import CliRunner, Result

from connector.cli.client import client
from connector.cli.config import lint, schema, variables
from tests.upstream import upstream

Run = Callable[..., Result]
CANARY = "canary-token-0123456789"
CONFIG = """\
clients:
  openai: {prototype: openai, parameters: {token: "${API_TOKEN}", base_uri: "${BASE}"}}
incoming:
  models: {subscriber: {prototype: openai, parameters: {client: openai, entity: models}}}
variables:
  team: {description: Who asks., default: red}
  pin: {secret: true}
"""


@pytest.fixture(scope="module")
def base_uri() -> Iterator[str]:
    with upstream() as address:
        yield address


@pytest.fixture
def run(tmp_path: Path, base_uri: str, monkeypatch: pytest.MonkeyPatch) -> Run:
    monkeypatch.chdir(tmp_path)
    for name in ("OPENAI_API_KEY", "OPENAI_BASE_URL", "OPENAI_CONNECTOR_CONFIG"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("API_TOKEN", CANARY)
    monkeypatch.setenv("BASE", base_uri)
    app = Typer(rich_markup_mode=None, pretty_exceptions_enable=False)
    for command in (lint, schema, variables):
        app.command()(command)
    app.add_typer(client, name="client")

    def invoke(*words: str) -> Result:
        done = CliRunner().invoke(app, words)
        assert CANARY not in done.stdout + done.stderr
        return done

    return invoke


def test_lint_says_that_all_is_well(run: Run) -> None:
    Path("connector.yaml").write_text(CONFIG.partition("variables")[0])
    done = run("lint")
    assert (done.exit_code, done.stdout, done.stderr) == (0, "", "no errors, no warnings\n")


def test_lint_finds_everything_in_all_files(run: Run) -> None:
    Path("a.yaml").write_text("client: {}\n")
    Path("b.yaml").write_text("clients: {c: {prototype: opanai}}\nchains: {unused: []}\n")
    done = run("lint", "a.yaml", "b.yaml")
    assert done.exit_code == 2
    assert [line.split(" ")[0] for line in done.stdout.splitlines()] == ["a.yaml:1:1", "b.yaml:1:26", "b.yaml:2:10"]
    assert done.stderr == "2 errors, 1 warning\n"
    found = json.loads(run("lint", "b.yaml", "--format", "json").stdout)
    assert found[0] == {
        "rule": "unknown-prototype", "severity": "error", "file": "b.yaml", "line": 1, "column": 26,
        "path": "clients.c.prototype", "found": "unknown client prototype 'opanai'",
        "allowed": "there are openai, azure-openai, openai-compatible, http, camunda",
        "suggestion": "did you mean 'openai'?",
    }  # fmt: skip
    log = json.loads(run("lint", "b.yaml", "--format", "sarif").stdout)
    assert [result["level"] for result in log["runs"][0]["results"]] == ["error", "warning"]
    assert log["runs"][0]["results"][0]["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] == "b.yaml"


def test_warnings_alone_are_no_failure(run: Run) -> None:
    Path("connector.yaml").write_text("chains: {unused: []}\n")
    assert run("lint").exit_code == 0


def test_schema_prints_a_schema(run: Run) -> None:
    assert json.loads(run("schema").stdout)["title"] == "openai-connector configuration"


def test_variables_shows_what_is_set_and_never_a_value(run: Run) -> None:
    Path("connector.yaml").write_text(CONFIG)
    Path(".env").write_text("OTHER=1\n")
    done = run("variables")
    rows = {row["name"]: row for row in json.loads(done.stdout)}
    assert rows["${API_TOKEN}"] == {
        "name": "${API_TOKEN}", "value": "***", "state": "set", "source": "environment", "secret": True,
        "used": ["connector.yaml:2:51 clients.openai.parameters.token"],
    }  # fmt: skip
    assert (rows["@{variables.team}"]["state"], rows["@{variables.team}"]["description"]) == ("default", "Who asks.")
    assert rows["@{variables.pin}"]["state"] == "missing"
    assert done.stderr == "missing: @{variables.pin}\n"


def test_variables_names_what_a_client_takes_by_itself(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", CANARY)
    Path("connector.yaml").write_text("clients: {c: {prototype: openai}}\n")
    [row] = json.loads(run("variables").stdout)
    assert row["used"] == ["connector.yaml:1:14 clients.c (clients.c.parameters.token is not given)"]


def test_client_add_edits_the_file_and_prints_the_change(run: Run) -> None:
    Path("connector.yaml").write_text(f"# ours\n{CONFIG}")
    done = run(
        "client", "add", "erp", "--prototype", "http", "--base-url", "https://erp.example", "-H", "X-Key: ${KEY}"
    )
    assert done.exit_code == 0
    added = [line for line in done.stdout.splitlines() if line[:1] in "+-" and "connector.yaml" not in line]
    assert added == [
        "+  erp:", "+    prototype: http", "+    parameters:", "+      base_uri: https://erp.example",
        "+      headers:", '+        X-Key: "${KEY}"',
    ]  # fmt: skip
    assert [row["name"] for row in json.loads(run("client", "list").stdout)] == ["openai", "erp"]
    assert "already" in str(run("client", "add", "erp").exception)


def test_client_add_makes_the_file_and_can_only_show_it(run: Run) -> None:
    run("client", "add", "a", "--dry-run")
    assert not Path("connector.yaml").exists()
    assert run("client", "add", "a", "--parameter", "retry.max_retries=4").exit_code == 0
    assert Path("connector.yaml").read_text().endswith("max_retries: 4\n")


def test_a_secret_on_the_command_line_is_written_and_not_printed(run: Run) -> None:
    done = run("client", "add", "a", "-H", f"Authorization: Bearer {CANARY}", "--parameter", f"token={CANARY}")
    assert CANARY in Path("connector.yaml").read_text()
    assert "a secret stands in the file as it is" in done.stderr


def test_client_add_refuses_what_would_not_work(run: Run) -> None:
    done = run("client", "add", "a", "--prototype", "http", "--parameter", "tokn=x")
    said = str(done.exception)
    assert "client 'a' would not work" in said
    assert "parameters.base_uri: missing" in said
    assert "parameters.tokn: unknown key" in said


def test_client_test_says_that_it_works(run: Run) -> None:
    Path("connector.yaml").write_text(CONFIG)
    done = run("client", "test", "openai")
    assert (done.exit_code, json.loads(done.stdout)["works"]) == (0, True)
    assert "client 'openai' works" in done.stderr
    assert "lists 2 models" in done.stderr


def test_client_test_says_what_is_wrong(run: Run) -> None:
    Path("connector.yaml").write_text(
        "clients: {c: {prototype: openai, parameters: {token: '${API_TOKEN}', base_uri: 'http://127.0.0.1:9/v1'}}}\n"
    )
    done = run("client", "test", "c", "--json")
    assert (done.exit_code, json.loads(done.stdout)["problem"]) == (4, "connection")
    assert "cannot be reached" in done.stderr
    assert "did you mean 'c'" in str(run("client", "test", "cc").exception)


def test_without_a_configuration_it_says_so(run: Run) -> None:
    assert "there is no connector.yaml here" in str(run("variables").exception)


def test_lint_takes_a_configuration_as_other_commands_do(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "other.yaml"
    file.write_text("variables: {a: 1}\nnothing: 1\n")
    assert "other.yaml:2:1" in run("lint", "-f", str(file)).output
    assert "openai-connector init" in str(run("variables").exception)
