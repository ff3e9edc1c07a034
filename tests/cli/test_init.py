"""`init`: a first configuration that runs, and nothing overwritten."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from connector.cli.app import app
from connector.errors import ConfigurationError
from connector.model_registry import default_registry
from connector.sandbox import Sandbox, in_thread


def test_what_it_writes_lints_explains_and_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    # A first configuration must not name a model that retires: it is looked at on the day of the facts.
    monkeypatch.setenv("OPENAI_CONNECTOR_TODAY", default_registry().as_of.isoformat())
    run = CliRunner()
    done = run.invoke(app, ["init"])
    assert done.exit_code == 0, done.output
    assert "openai-connector run --once" in done.stderr
    monkeypatch.setenv("OPENAI_API_KEY", "sk-any")
    with in_thread(Sandbox()) as api:
        monkeypatch.setenv("OPENAI_BASE_URL", api.url)
        linted = run.invoke(app, ["lint"])
        assert (linted.exit_code, linted.stdout, linted.stderr) == (0, "", "no errors, no warnings\n")
        shown = run.invoke(app, ["explain", "answer", "--document", '{"id": 1, "text": "Hello"}'])
        assert shown.exit_code == 0
        assert not api.requests
        ran = run.invoke(app, ["run", "--once"])
        assert ran.exit_code == 0, ran.output
        assert len(api.requests) == 2
    answers = [json.loads(line) for line in Path("answers.jsonl").read_text().splitlines()]
    assert sorted(answer["ticket"] for answer in answers) == [1, 2]


@pytest.mark.parametrize("name", ["connector.yaml", "connector.yml", "connector.json", "tickets.jsonl"])
def test_nothing_is_overwritten(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path(name).write_text("mine")
    done = CliRunner().invoke(app, ["init"])
    assert isinstance(done.exception, ConfigurationError)
    assert "nothing was written" in str(done.exception)
    assert [path.name for path in tmp_path.iterdir()] == [name]
    assert Path(name).read_text() == "mine"


def test_a_folder_of_its_own_is_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    done = CliRunner().invoke(app, ["init", "a/first"])
    assert done.exit_code == 0
    assert "cd a/first" in done.stderr
    assert {path.name for path in Path("a/first").iterdir()} == {"connector.yaml", "tickets.jsonl"}
