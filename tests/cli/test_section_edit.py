"""Entries of a configuration added, changed and removed from the command line."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from connector.cli.app import app

CONFIGURATION = """\
# ours
clients:
  openai: {prototype: openai, parameters: {token: sk-canary-0123456789abcdef}}  # the only one
incoming:
  tickets: {subscriber: {prototype: file, parameters: {url: in.jsonl}}}   # as they come
outgoing:
  ask:
    # one question each
    chain: [{chat-prompt: {model: gpt-5-mini, prompt: "&{text}"}}]
    publisher: {prototype: openai, parameters: {client: openai, entity: chat completions, action: create}}
routes:
  asking: {incoming: tickets, outgoing: ask}
"""
Run = Callable[..., Any]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    monkeypatch.chdir(tmp_path)

    def run(*words: str) -> Any:
        done = CliRunner().invoke(app, list(words))
        assert "sk-canary" not in done.output + str(done.exception)
        return done

    return run


def refusal(done: Any) -> str:
    assert done.exit_code != 0
    return str(done.exception)


def lines(done: Any) -> list[str]:
    assert done.exit_code == 0, done.output + str(done.exception)
    return [line for line in done.stdout.splitlines() if line.startswith(("+", "-")) and "connector.yaml" not in line]


def test_a_configuration_is_put_together_from_nothing(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-1")
    lines(run("client", "add", "openai", "--parameter", "token=${OPENAI_API_KEY}"))
    lines(run("incoming", "add", "tickets", "--prototype", "file", "--parameter", "url=in.jsonl"))
    calls = ("client=openai", "entity=moderations", "action=create")
    parameters = [word for call in calls for word in ("--parameter", call)]
    lines(run("outgoing", "add", "check", "--prototype", "openai", *parameters, "--set", 'chain=["moderate-input"]'))
    lines(run("route", "add", "checking", "--incoming", "tickets", "--outgoing", "check", "--set", "key=id"))
    assert run("lint").stderr == "no errors, no warnings\n"
    assert json.loads(run("route", "list").stdout) == [
        {"name": "checking", "incoming": "tickets", "outgoing": "check", "description": ""}
    ]
    assert json.loads(run("incoming", "list").stdout)[0]["prototype"] == "file"


@pytest.mark.parametrize(("words", "told"), [
    (["client", "remove", "openai"], ["client 'openai' is in use", "outgoing.ask.publisher.parameters.client"]),
    (["incoming", "remove", "tickets"], ["is in use", "routes.asking.incoming"]),
    (["outgoing", "remove", "ask"], ["is in use", "routes.asking.outgoing"]),
    (["outgoing", "remove", "aks"], ["unknown outgoing connection 'aks'", "did you mean 'ask'"]),
    (["route", "edit", "asking", "--set", "atempts=3"], ["it would not work", "did you mean 'attempts'"]),
    (["route", "edit", "asking", "--unset", "key"], ["there is no such key"]),
    (["route", "edit", "asking"], ["is so already"]),
    (["route", "add", "x", "--incoming", "tickets"], ["--outgoing"]),
    (["route", "add", "asking", "--incoming", "tickets", "--outgoing", "ask"], ["there is a route 'asking' already"]),
    (["route", "add", "x", "--incoming", "tikets", "--outgoing", "ask"], ["did you mean 'tickets'"]),
    (["incoming", "add", "x"], ["--prototype with one of", "file"]),
    (["incoming", "add", "x", "--prototype", "flie"], ["did you mean 'file'"]),
    (["outgoing", "edit", "ask", "--parameter", "entity=chat completion"], ["did you mean 'chat completions"]),
    (["client", "edit", "openai", "--parameter", "tokn=x"], ["did you mean 'token'"]),
])  # fmt: skip
def test_what_would_not_work_is_refused_and_nothing_is_written(run: Run, words: list[str], told: list[str]) -> None:
    Path("connector.yaml").write_text(CONFIGURATION)
    said = refusal(run(*words))
    assert [part for part in told if part not in said] == [], said
    assert Path("connector.yaml").read_text() == CONFIGURATION


def test_what_is_wrong_already_does_not_hinder(run: Run) -> None:
    Path("connector.yaml").write_text(f"{CONFIGURATION}  broken: {{incoming: nowhere, outgoing: ask}}\n")
    assert lines(run("route", "edit", "asking", "--set", "attempts=3")) == [
        "-  asking: {incoming: tickets, outgoing: ask}", "+  asking: {incoming: tickets, outgoing: ask, attempts: 3}"
    ]  # fmt: skip
    assert lines(run("route", "remove", "broken")) == ["-  broken: {incoming: nowhere, outgoing: ask}"]


def test_comments_stay_and_force_and_dry_run_do_what_they_say(run: Run) -> None:
    Path("connector.yaml").write_text(CONFIGURATION)
    assert lines(run("outgoing", "edit", "ask", "--set", "concurrency=4")) == ["+    concurrency: 4"]
    assert "# one question each" in Path("connector.yaml").read_text()
    before = Path("connector.yaml").read_text()
    assert "would be removed" in run("client", "remove", "openai", "--dry-run", "--force").stderr
    assert Path("connector.yaml").read_text() == before
    lines(run("client", "remove", "openai", "--force"))
    assert "sk-canary" not in Path("connector.yaml").read_text()


def test_of_a_folder_the_file_that_holds_it_is_changed(run: Run) -> None:
    Path("all").mkdir()
    head, tail = CONFIGURATION.split("outgoing:\n", 1)
    Path("all/a.yaml").write_text(head)
    Path("all/b.yaml").write_text(f"outgoing:\n{tail}")
    lines(run("incoming", "edit", "tickets", "--parameter", "url=other.jsonl", "-f", "all"))
    assert "other.jsonl" in Path("all/a.yaml").read_text()
    lines(run("incoming", "add", "more", "--prototype", "file", "--parameter", "url=m.jsonl", "-f", "all"))
    assert "m.jsonl" in Path("all/incoming.yaml").read_text()
    assert "is in use" in refusal(run("client", "remove", "openai", "-f", "all"))
