"""The commands that run a configuration."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest
from typer.testing import CliRunner

from connector.cli.app import app
from tests import warm

CONFIGURATION = """
variables: {greeting: hello}
clients:
  openai:
    prototype: openai
    parameters: {token: "${TRY_KEY}", base_uri: "http://127.0.0.1:9/v1", retry: {max_retries: 0}}
chains:
  shout: [{value-mapper: {accessor: text, mappers: [{string-case: upper}]}}]
incoming:
  tickets: {subscriber: {prototype: file, parameters: {url: in.jsonl}}, chain: [shout]}
  models: {subscriber: {prototype: file, parameters: {url: in.jsonl}}}
outgoing:
  keep: {chain: [shout], publisher: {prototype: file, parameters: {url: out.jsonl}}}
  back:
    chain: [shout]
    publisher: {prototype: none}
    answer: {chain: [{value-setter: {configurations: {said: "@{variables.greeting}"}}}]}
  ask:
    request: {payload: {model: gpt-5-mini, messages: [{role: user, content: "&{text}"}]}}
    publisher: {prototype: openai, parameters: {client: openai, entity: chat completions}}
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a configuration, which is the current one."""
    (tmp_path / "connector.yaml").write_text(CONFIGURATION)
    (tmp_path / "in.jsonl").write_text('{"text": "a"}\nbroken\n{"text": "b"}\n{"no": 1}\n')
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TRY_KEY", "sk-canary-0123456789")
    return tmp_path


@pytest.fixture
def run() -> Callable[..., Any]:
    def run(*arguments: str, documents: str = "") -> Any:
        return CliRunner().invoke(app, list(arguments), input=documents)

    return run


def lines(text: str) -> list[Any]:
    return [json.loads(line) for line in text.splitlines()]


def test_subscribe_runs_an_incoming_of_the_configuration(folder: Path, run: Any) -> None:
    result = run("subscribe", "tickets", "--errors", "errors.jsonl")
    assert [document["text"] for document in lines(result.stdout) if "text" in document] == ["A", "B"]
    assert result.exit_code == 2
    assert "line 2" in result.stderr
    assert "failed" in result.stderr
    errors = lines((folder / "errors.jsonl").read_text())
    assert errors[0]["$text"] == "broken"
    assert "line 2" in errors[0]["$error"]["reason"]


def test_subscribe_reads_at_most_so_many(folder: Path, run: Any) -> None:
    result = run("subscribe", "tickets", "--limit", "1")
    assert lines(result.stdout) == [{"text": "A"}]
    assert result.stderr.startswith("1 done")
    assert result.exit_code == 0


def test_subscribe_takes_documents_in_place_of_the_subscribers(folder: Path, run: Any) -> None:
    result = run("subscribe", "tickets", "--documents", "-", documents='{"text": "c", "$error": {"reason": "x"}}\n')
    assert lines(result.stdout) == [{"text": "C"}]


def test_the_configuration_comes_before_the_entities(folder: Path, run: Any) -> None:
    assert [document.get("text") for document in lines(run("subscribe", "models").stdout)] == ["a", "b", None]
    result = run("subscribe", "files", "--dry-run")
    assert json.loads(result.stdout)["url"].endswith("/files") or "OPENAI_API_KEY" in result.stderr


def test_a_name_that_is_in_no_configuration(folder: Path, run: Any) -> None:
    result = run("subscribe", "ticket", "-f", "connector.yaml")
    assert "unknown entity or connection 'ticket'; did you mean 'tickets'" in str(result.exception)


def test_publish_writes_the_file_and_the_failed_ones(folder: Path, run: Any) -> None:
    documents = '{"text": "a"}\nbroken\n{"text": {}}\n'
    result = run("publish", "keep", "--errors", "errors.jsonl", documents=documents)
    assert lines((folder / "out.jsonl").read_text())[0] == {"text": "A"}
    assert result.exit_code == 2
    errors = lines((folder / "errors.jsonl").read_text())
    assert any("$text" in error for error in errors)
    assert all("$error" in error for error in errors)


def test_publish_prints_the_answers_that_no_publisher_takes(folder: Path, run: Any) -> None:
    result = run("publish", "back", "--select", "[body.text, said]", documents='{"text": "a"}\n{"text": "b"}\n')
    assert lines(result.stdout) == [["A", "hello"], ["B", "hello"]]
    assert result.stderr.startswith("2 done")
    assert result.exit_code == 0


def test_publish_where_nobody_answers(folder: Path, run: Any) -> None:
    result = run("publish", "ask", "--errors", "errors.jsonl", documents='{"text": "a"}\n')
    assert lines(result.stdout)[0]["state"] == "not_sent"
    assert result.exit_code == 4
    assert lines((folder / "errors.jsonl").read_text())[0]["text"] == "a"
    assert "sk-canary" not in result.output


def test_explain_an_outgoing_and_an_incoming(folder: Path, run: Any) -> None:
    shown = json.loads(run("explain", "ask", "--document", '{"text": "hi"}').stdout)
    assert shown["body"]["messages"] == [{"role": "user", "content": "hi"}]
    assert shown["origins"]["payload.messages[0].content"].startswith("request template: &{text}")
    assert json.loads(run("explain", "tickets").stdout)[0]["format"] == "jsonl"
    operation = json.loads(run("explain", "models", "list", "--token", "sk-x").stdout)["operation"]
    assert operation == "models list"


def test_transform(folder: Path, run: Any) -> None:
    result = run("transform", "shout", documents='{"text": "a"}\n{"text": "b"}\nbroken\n')
    assert lines(result.stdout) == [{"text": "A"}, {"text": "B"}]
    assert "2 done, 1 failed" in result.stderr
    assert result.exit_code == 2
    steps = '[{"value-setter": {"configurations": {"x": "@{variables.greeting}"}}}]'
    assert lines(run("transform", steps, documents="{}\n").stdout) == [{"x": "hello"}]


def test_transform_explains_each_step(folder: Path, run: Any) -> None:
    result = run("transform", "shout", "--explain", documents='{"text": "a"}\n')
    assert lines(result.stdout) == [{"text": "A"}]
    assert "value-mapper" in result.stderr
    assert '-  "text": "a"' in result.stderr
    assert '+  "text": "A"' in result.stderr


def test_transform_needs_no_configuration(tmp_path: Path, run: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    result = run("transform", '{"value-setter": {"configurations": {"x": 1}}}', documents="{}\n")
    assert lines(result.stdout) == [{"x": 1}]


def test_test(folder: Path, run: Any) -> None:
    (folder / "shout.test.yaml").write_text(
        dedent("""
        - {name: good, input: {text: a}, output: {text: A}}
        - {name: bad, input: {text: a}, output: {text: b}}
        - {name: whole, outgoing: back, input: {text: a}, failed: false, outputs: []}
        """)
    )
    result = run("test", "--junit", "junit.xml")
    assert result.exit_code == 2
    assert "FAILED shout.test.yaml: bad" in result.stderr
    assert '-  "text": "b"' in result.stderr
    assert "1 passed, 2 failed" in result.stderr
    assert b'failures="2"' in (folder / "junit.xml").read_bytes()


def test_an_interrupt_drains(folder: Path) -> None:
    program = [*warm.command(), "publish", "keep"]
    with subprocess.Popen(program, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdin.write(b'{"text": "a"}\n')
        process.stdin.flush()
        # The outcome's line says that the document went through, and the next one is waited for.
        assert json.loads(process.stdout.readline())["state"] == "done"
        os.kill(process.pid, signal.SIGINT)
        process.wait(timeout=20)
        said = process.stderr.read()
    assert process.returncode == 130
    assert b"1 done" in said
    assert b"stopped: interrupted" in said
    assert (folder / "out.jsonl").read_text() == '{"text":"A"}\n'
