"""A run that may cost more than a configured sum asks first; where nobody can answer, it stops and sends nothing."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from connector.cli.app import app
from connector.cli.exit_codes import ExitCode
from tests.upstream import upstream

CONFIGURATION = """
{more}
clients: {{openai: {{prototype: openai, parameters: {{token: sk-canary-0123456789, base_uri: "{base}"}}}}}}
incoming: {{in: {{subscriber: {{prototype: file, parameters: {{url: in.jsonl}}}}}}}}
outgoing:
  ask:
    request: {{payload: {{model: gpt-6-luna, messages: [{{role: user, content: "&{{text}}"}}]}}}}
    publisher: {{prototype: openai, parameters: {{client: openai, entity: chat completions}}}}
routes: {{r: {{incoming: in, outgoing: ask{route}}}}}
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "in.jsonl").write_text("\n".join(json.dumps({"text": f"hello {n}"}) for n in range(5)))
    return tmp_path


def run(folder: Path, *words: str, more: str = "", route: str = "") -> tuple[int, str]:
    with upstream() as base:
        (folder / "connector.yaml").write_text(CONFIGURATION.format(base=base, more=more, route=route))
        result = CliRunner().invoke(app, ["run", "--once", *words])
    return result.exit_code, result.output


def test_it_stops_where_nobody_can_answer(folder: Path) -> None:
    code, said = run(folder, route=", ask_above: 0.000001 USD")
    assert code == ExitCode.COSTLY == 8
    assert "route r: 5 documents, likely 0.0" in said
    assert "--pay-up-to AMOUNT or --yes" in said
    assert '"tasks"' not in said


@pytest.mark.parametrize("words", [["--yes"], ["--pay-up-to", "5"]])
def test_it_begins_when_that_is_said(folder: Path, words: list[str]) -> None:
    code, said = run(folder, *words, route=", ask_above: 0.000001")
    assert code == ExitCode.DONE
    assert '"finished":5' in said


def test_what_costs_little_is_not_asked_for(folder: Path) -> None:
    assert run(folder, more="ask_above: 5 USD")[0] == ExitCode.DONE


def test_all_routes_together_count_against_the_whole(folder: Path) -> None:
    assert run(folder, more="ask_above: 0.000001 USD")[0] == ExitCode.COSTLY


def test_less_than_was_said_is_not_enough(folder: Path) -> None:
    assert run(folder, "--pay-up-to", "0.000001")[0] == ExitCode.COSTLY


def test_another_currency_is_a_fault(folder: Path) -> None:
    with upstream() as base:
        (folder / "connector.yaml").write_text(CONFIGURATION.format(base=base, more="ask_above: 5 EUR", route=""))
        result = CliRunner().invoke(app, ["lint"])
    assert "ask_above: an amount in EUR; USD is allowed" in result.output
