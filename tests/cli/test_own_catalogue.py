"""A configuration's own catalogue is what every command uses, with its facts about models."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import Any

import httpx
import pytest
from typer.testing import CliRunner

from connector.catalogue import Catalogue
from connector.cli.app import app
from connector.sandbox import Sandbox, in_thread
from tests.own_catalogue import write_own_catalogue

CONFIGURATION = """\
clients:
  openai: {prototype: openai, parameters: {token: key}}
incoming:
  tickets: {subscriber: {prototype: file, parameters: {url: tickets.jsonl}}}
outgoing:
  greet:
    chain: [chat-prompt]
    publisher: {prototype: openai, parameters: {client: openai, entity: chat completions, action: create}}
routes:
  greetings: {incoming: tickets, outgoing: greet, key: id}
"""
CHAT = ["chat", "completions", "create", "--set", 'payload.messages=[{"role": "user", "content": "x"}]']


@pytest.fixture(scope="module")
def catalogue(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The shipped catalogue with other models in it."""
    return write_own_catalogue(tmp_path_factory.mktemp("own") / "entities")


@pytest.fixture(params=["named", "beside", "environment", "option", "elsewhere"])
def project(
    request: pytest.FixtureRequest, catalogue: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> tuple[Path, list[str]]:
    """A configuration that uses this catalogue, in each of the ways to say so, and the options that say it."""
    here = tmp_path / "project"
    here.mkdir()
    named = request.param in ("named", "elsewhere")
    (here / "connector.yaml").write_text(f"entities: {catalogue}\n{CONFIGURATION}" if named else CONFIGURATION)
    (here / "tickets.jsonl").write_text('{"id": 1, "prompt": "Hello"}\n')
    monkeypatch.chdir(here)
    if request.param == "beside":
        (here / "entities").symlink_to(catalogue)
    elif request.param == "environment":
        monkeypatch.setenv("OPENAI_CONNECTOR_ENTITIES", str(catalogue))
    elif request.param == "elsewhere":
        monkeypatch.chdir(tmp_path)
        monkeypatch.setenv("OPENAI_CONNECTOR_CONFIG", str(here / "connector.yaml"))
    return here, ["--entities", str(catalogue)] if request.param == "option" else []


def run(*words: str) -> Any:
    return CliRunner().invoke(app, [*words])


def test_every_command_uses_it(project: tuple[Path, list[str]]) -> None:
    here, option = project
    listed = [json.loads(line)["model"] for line in run("models", "list", "--json", *option).stdout.splitlines()]
    assert listed == ["gpt-9-own"]
    assert json.loads(run("models", "show", "gpt-9-gone", "--json", *option).stdout)["successor"] == "gpt-9-own"
    (here / "notes.txt").write_text("we use gpt-9-gone\n")
    checked = run("models", "check", str(here / "notes.txt"), "--json", *option)
    assert (checked.exit_code, json.loads(checked.stdout)["successor"]) == (1, "gpt-9-own")
    for command in ("steps", "chains"):
        assert "else gpt-9-own" in run(command, "chat-prompt", "--json", *option).stdout
    shown = run("explain", "greet", "--document", '{"id": 1, "prompt": "x"}', *option)
    assert '"model":"gpt-9-own"' in shown.stdout, (shown.output, shown.exception)
    asked = run("explain", *CHAT, "--set", "payload.model=gpt-9-gone", "--client", "openai", *option)
    assert "gpt-9-own" in asked.output + str(asked.exception)


def test_lint_judges_by_it(project: tuple[Path, list[str]]) -> None:
    here, option = project
    assert run("lint", *option).exit_code == 0
    file = here / "connector.yaml"
    file.write_text(file.read_text().replace("[chat-prompt]", "[{chat-prompt: {model: gpt-9-gone}}]"))
    retired = run("lint", *option)
    assert retired.exit_code == 2
    assert "gpt-9-own" in retired.output


def test_lint_names_the_roles_that_it_has(catalogue: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "connector.yaml").write_text(
        f"entities: {catalogue}\nclients: {{c: {{prototype: openai}}}}\n"
        "chains:\n  draw: {parameters: {model: {type: string, role: pictures, default: null}}, steps: []}\n"
    )
    said = run("lint")
    assert "unknown role of a model; there are small, text" in said.output, said.output


def test_the_cases_of_a_chain_take_their_models_from_it(
    catalogue: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "connector.yaml").write_text(f"entities: {catalogue}\n{CONFIGURATION}")
    payload = {"model": "gpt-9-own", "messages": [{"role": "user", "content": "x"}]}
    (tmp_path / "chat-prompt.test.yaml").write_text(
        json.dumps([{"input": {"prompt": "x"}, "output": {"payload": payload}}])
    )
    tested = run("test")
    assert tested.exit_code == 0, (tested.output, tested.exception)


def test_the_sandbox_has_its_models(catalogue: Path) -> None:
    with in_thread(Sandbox(catalogue=Catalogue.open(catalogue), today=date(2026, 11, 29))) as sandbox:
        listed = httpx.get(f"{sandbox.url}/models", headers={"Authorization": "Bearer any"}).json()
    assert [model["id"] for model in listed["data"]] == ["gpt-9-own"]


def test_a_first_configuration_names_its_small_model(
    catalogue: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "entities").symlink_to(catalogue)
    assert run("init").exit_code == 0
    assert "model: gpt-9-own" in (tmp_path / "connector.yaml").read_text()
