"""What a person is told: chains there are, nothing declared, nothing imported, what is waited for, secrets' names."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from connector.cli.app import app
from connector.config.tree import read_text
from connector.transform.library import ready_made
from tests import warm
from tests.programs import open_terminal


def run(*words: str) -> Any:
    return CliRunner().invoke(app, list(words))


def test_ready_made_chains_are_listed_and_told() -> None:
    assert [row["name"] for row in json.loads(run("chains").stdout)] == list(ready_made())
    one = run("chains", "chat-prompt", "--text").stdout
    assert one.startswith("chat-prompt: Makes a chat completion request")
    assert "temperature" in one
    assert "did you mean 'chat-prompt'" in str(run("chains", "chat-promt").exception)
    assert run("steps", "chat-prompt", "--text").stdout == one
    assert json.loads(run("steps", "Value_Setter").stdout)[0]["name"] == "value-setter"
    assert "did you mean 'chat-prompt'" in str(run("steps", "chat-promt").exception)


@pytest.mark.parametrize("text", ["", "# nothing yet\n", "{}\n", "---\n"])
def test_an_empty_configuration_is_no_success(text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("connector.yaml").write_text(text)
    done = run("lint")
    assert done.exit_code == 2
    assert "nothing is declared" in done.stdout
    assert "`init`" in done.stdout


def test_an_import_of_nothing_is_no_success(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("a.ndjson").write_text("")
    Path("a.yml").write_text("a: 1\n")
    for words in (["alumio", "a.ndjson", "--into", "x"], ["atlas", "a.yml", "--into", "y"]):
        done = run("import", *words)
        assert done.exit_code == 7, done.output
        assert "nothing was imported" in done.stderr


@pytest.mark.parametrize("command", [["publish", "p"], ["transform", "c"], ["call", "--from", "-"],
                                     ["explain", "models", "list", "--request", "-"]])  # fmt: skip
def test_at_a_terminal_it_is_said_what_is_waited_for(command: list[str], tmp_path: Path) -> None:
    (tmp_path / "connector.yaml").write_text(
        "chains: {c: [{exception: {message: no}}]}\n"
        "outgoing: {p: {publisher: {prototype: file, parameters: {url: o.jsonl}}}}\n"
    )
    ours, theirs = open_terminal()
    words = [*warm.command(), *command]
    with subprocess.Popen(words, cwd=tmp_path, stdin=theirs, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        os.close(theirs)
        assert process.stderr is not None
        first = process.stderr.readline().decode()
        os.write(ours, b"\x04")
        process.communicate(timeout=30)
    os.close(ours)
    assert "from standard input" in first
    assert "Ctrl-D" in first


PARAMETERS = (
    "clients: {a: {prototype: http, parameters: {base_uri: 'http://127.0.0.1', headers: {X: 'Bearer TEXT'}}}}\n"
)


@pytest.mark.parametrize(
    "text", ["{{secrets.KEY}}", "{{ secrets.KEY }}", "${{ KEY }}", "${{KEY}}", "${{ secrets.KEY }}"]
)
def test_names_of_secrets_elsewhere_are_refused_everywhere(
    text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for given in (["--token", text], ["-H", f"Authorization: Bearer {text}"], ["--parameter", f"headers.X=B {text}"]):
        assert "stands for a secret" in str(run("call", "models", "list", *given).exception)
        assert "stands for a secret" in str(run("curl", "/v1/models", *given).exception)
    Path("connector.yaml").write_text(PARAMETERS.replace("TEXT", text))
    done = run("lint")
    assert done.exit_code == 2
    assert "is no variable" in done.stdout
    assert "write ${KEY}" in done.stdout


def test_other_braces_are_text(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    written = "{{name}} \\\\{{secrets.X}} \\\\${{ y }} \\\\{{z}}"
    Path("connector.yaml").write_text(f'chains: {{c: [{{value-setter: {{configurations: {{a: "{written}"}}}}}}]}}\n')
    done = CliRunner().invoke(app, ["transform", "c"], input="{}\n")
    assert json.loads(done.stdout) == {"a": "{{name}} {{secrets.X}} ${{ y }} \\{{z}}"}


@pytest.mark.parametrize(("text", "told"), [
    ("clients:\n\ta: 1\n", "2:1 not YAML: a tab"),
    ("clients:\n  a:\n  \tb: 1\n", "3:3 not YAML: a tab"),
    ("clients:\n  a: {b: 1}\n c: 1\n", "3:2 not YAML: not indented as the lines around it"),
    ("a:\n  - 1\n b", "not indented as the lines around it"),
    ("a: {b: 1\nc: {}\n", "a { that begins on line 1 is not closed; close it with }"),
    ("a: [1, 2\nb: 3\n", "a [ that begins on line 1 is not closed; close it with ]"),
    ("a: {b: 1\n", "a { that begins on line 1 is not closed"),
    ("a: b: c\n", "a colon where none can be"),
    ('a: "b\n', "a quote that begins on line 1 is not closed"),
    ("a: 'b\n", "a quote that begins on line 1 is not closed"),
    ("a: @b\n", "a text that begins with @"),
    ("a: `b`\n", "a text that begins with `"),
    ("a: *b\n", "an alias of nothing"),
    ("a: 1\nb\n", "a key without its colon"),
])  # fmt: skip
def test_yaml_is_explained_in_plain_words(text: str, told: str) -> None:
    found = read_text(text, "connector.yaml").findings[0]
    assert told in str(found)
    assert "token" not in str(found)
    assert "<block" not in str(found)
