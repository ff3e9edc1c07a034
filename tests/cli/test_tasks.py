"""`tasks` and `backup`: what became of documents, and what is done about it."""

from __future__ import annotations

import asyncio
import json
import sqlite3
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from connector.cli.app import app
from connector.engine import CallEnd, CallRecord, Change, NewTask, Settlement, Task, TaskState, open_store

CONFIGURATION = """
clients:
  openai: {prototype: openai, parameters: {token: "${TRY_KEY}", base_uri: "http://127.0.0.1:9/v1"}}
chains:
  shout: [{value-mapper: {accessor: text, mappers: [{string-case: upper}]}}]
incoming:
  tickets: {subscriber: {prototype: file, parameters: {url: in.jsonl}}}
outgoing:
  ask:
    chain: [{value-setter: {configurations: {n: 1}}}]
    request: {payload: {model: gpt-5-mini, messages: [{role: user, content: "&{text}"}]}}
    publisher: {prototype: openai, parameters: {client: openai, entity: chat completions}}
routes:
  asking: {incoming: tickets, outgoing: ask, chain: [shout]}
"""
CALL = {"fingerprint": "f", "target": "openai", "operation": "chat completions create", "effect": "opaque"}


def of(task: Task, **more: Any) -> CallRecord:
    return CallRecord(
        task=task.id, attempt=1, number=0, started=time.time(), request={"body": {"n": 1}}, **CALL, **more
    )


async def filled(folder: Path) -> None:
    """Tasks 1 finished, 2 failed, 3 unknown, 4 new."""
    store = await open_store(f"sqlite:///{folder / 'connector.db'}")
    try:
        documents = [{"text": text} for text in ("one", "two", "three", "four")]
        await store.commit(
            Change(accept=[NewTask(route="asking", document=each, key=each["text"]) for each in documents])
        )
        first, second, third = await store.lease("asking", 3)
        await store.commit(
            Change(
                intend=[of(first), of(third)],
                end=[
                    CallEnd(
                        task=first.id, attempt=1, number=0, ended=time.time(), state="done", outcome={"status": 200}
                    )
                ],
                settle=[
                    Settlement(task=first.id, state=TaskState.FINISHED),
                    Settlement(task=second.id, state=TaskState.FAILED, reason="the chain broke"),
                    Settlement(task=third.id, state=TaskState.UNKNOWN, reason="nobody saw its end"),
                ],
            )
        )
    finally:
        await store.close()


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a configuration and its tasks, which is the current one."""
    (tmp_path / "connector.yaml").write_text(CONFIGURATION)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TRY_KEY", "sk-canary-0123456789")
    asyncio.run(filled(tmp_path))
    return tmp_path


@pytest.fixture
def run() -> Callable[..., Any]:
    def run(*arguments: str, documents: str = "") -> Any:
        return CliRunner().invoke(app, list(arguments), input=documents)

    return run


def lines(found: Any) -> list[Any]:
    assert found.exception is None or isinstance(found.exception, SystemExit), found.exception
    return [json.loads(line) for line in found.stdout.splitlines()]


def state(run: Any, number: int) -> str:
    (found,) = lines(run("tasks", "list", str(number)))
    return found["state"]


def test_what_did_not_end_well_is_listed(folder: Path, run: Any) -> None:
    assert [(task["id"], task["state"]) for task in lines(run("tasks", "list"))] == [
        (2, "failed"),
        (3, "unknown"),
        (4, "new"),
    ]
    assert len(lines(run("tasks", "list", "--state", "all"))) == 4


@pytest.mark.parametrize(("options", "ids"), [
    (["--state", "finished", "--state", "new"], [1, 4]),
    (["--reason", "chain"], [2]),
    (["--key", "three"], [3]),
    (["--route", "asking", "--after", "2"], [3, 4]),
    (["--state", "all", "--limit", "2"], [1, 2]),
    (["--older-than", "1h"], []),
    (["--newer-than", "1h"], [2, 3, 4]),
    (["3", "1"], [1, 3]),
])  # fmt: skip
def test_filters(folder: Path, run: Any, options: list[str], ids: list[int]) -> None:
    assert [task["id"] for task in lines(run("tasks", "list", *options))] == ids


def test_a_page_says_how_it_goes_on(folder: Path, run: Any) -> None:
    assert "--after 2 goes on" in run("tasks", "list", "--state", "all", "--limit", "2").stderr


def test_people_get_a_table(folder: Path, run: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("connector.cli.tasks_list.wants_json", lambda _: False)
    shown = run("tasks", "list").stdout
    assert "attempts" in shown
    assert "the chain broke" in shown


@pytest.mark.parametrize(("arguments", "says"), [
    (["list", "--route", "askin"], "did you mean 'asking'"),
    (["list", "--state", "fialed"], "did you mean 'failed'"),
    (["list", "--older-than", "a while"], "30s, 15m, 6h or 1d"),
    (["retry"], "say which tasks"),
    (["skip"], "say which tasks"),
    (["purge"], "--older-than 30d"),
    (["show", "99"], "there is no task 99"),
    (["retry", "--state", "failed", "--edit", "x.json"], "one id is needed"),
    (["retry", "2", "--edit", "missing.json"], "cannot read 'missing.json'"),
])  # fmt: skip
def test_what_cannot_be_is_said(folder: Path, run: Any, arguments: list[str], says: str) -> None:
    found = run("tasks", *arguments)
    assert says in str(found.exception)


def test_without_a_run_there_are_no_tasks_and_none_are_made(tmp_path: Path, run: Any, monkeypatch: Any) -> None:
    (tmp_path / "connector.yaml").write_text(CONFIGURATION)
    monkeypatch.chdir(tmp_path)
    assert "there are no tasks yet" in str(run("tasks", "list").exception)
    assert not (tmp_path / "connector.db").exists()


def test_a_task_is_shown_with_its_calls_and_what_becomes_of_its_document(folder: Path, run: Any) -> None:
    (shown,) = lines(run("tasks", "show", "3"))
    assert shown["document"] == {"text": "three"}
    assert shown["becomes"]["after_route_chain"] == [{"text": "THREE"}]
    (request,) = shown["becomes"]["requests"]
    assert request["body"]["messages"][0]["content"] == "THREE"
    (call,) = shown["calls"]
    assert call["operation"] == "chat completions create"
    assert call["state"].startswith("open")
    assert "sk-canary" not in json.dumps(shown)


def test_a_document_that_its_chain_breaks_is_shown_with_the_reason(folder: Path, run: Any) -> None:
    (folder / "connector.yaml").write_text(CONFIGURATION.replace("accessor: text,", "accessor: missing.text,"))
    (shown,) = lines(run("tasks", "show", "2"))
    assert shown["document"] == {"text": "two"}
    assert "fails" in shown["becomes"] or "requests" in shown["becomes"]


def test_failed_tasks_are_retried_and_unknown_ones_only_when_that_is_said(folder: Path, run: Any) -> None:
    found = run("tasks", "retry", "--state", "failed", "--state", "unknown")
    assert found.exit_code == 3
    assert lines(found) == [{"retried": 1}]
    assert "look in openai for chat completions create" in found.stderr
    assert "--repeat-unknown" in found.stderr
    assert (state(run, 2), state(run, 3)) == ("new", "unknown")
    assert lines(run("tasks", "retry", "3", "--repeat-unknown")) == [{"retried": 1}]
    assert state(run, 3) == "new"


def test_a_call_that_took_effect_is_taken_for_done(folder: Path, run: Any) -> None:
    found = run("tasks", "done", "3", "--answer", '{"id": "x"}', "--reason", "the API's log")
    assert lines(found) == [{"done": 1}]
    assert state(run, 3) == "new"
    (shown,) = lines(run("tasks", "show", "3"))
    (call,) = shown["calls"]
    assert (call["state"], call["outcome"]["body"]) == ("done", {"id": "x"})
    assert call["outcome"]["by_hand"] == "the API's log"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["2"], "task 2 is failed; only an unknown one"),
        (["99"], "there is no task 99"),
        (["3", "--call", "1.7"], "one of 1.0 (chat completions create) is allowed"),
        (["3", "--answer", '{"a": "sk-canary-0123456789"}'], "--answer: it holds a secret"),
    ],
)
def test_what_cannot_be_taken_for_done_is_said(folder: Path, run: Any, words: list[str], said: str) -> None:
    found = run("tasks", "done", *words)
    assert said in f"{found.stderr}{found.exception}"
    assert found.exit_code
    assert state(run, 3) == "unknown"


def test_a_task_is_retried_with_another_document(folder: Path, run: Any) -> None:
    assert lines(run("tasks", "retry", "2", "--edit", "-", documents='{"text": "better"}')) == [{"retried": 1}]
    (found,) = lines(run("tasks", "list", "2"))
    assert found["document"] == {"text": "better"}


def test_what_cannot_be_retried_is_said(folder: Path, run: Any) -> None:
    found = run("tasks", "retry", "1", "99")
    assert lines(found) == [{"retried": 0}]
    assert "task 1 is finished" in found.stderr
    assert "there is no task 99" in found.stderr


def test_tasks_are_skipped(folder: Path, run: Any) -> None:
    assert lines(run("tasks", "skip", "--state", "new")) == [{"skipped": 1}]
    (found,) = lines(run("tasks", "list", "4"))
    assert (found["state"], found["reason"]) == ("skipped", "skipped by hand")


def test_exported_tasks_can_be_taken_again_and_say_what_is_in_doubt(folder: Path, run: Any) -> None:
    failed, unknown = lines(run("tasks", "export"))
    assert failed == {"text": "two", "$error": {"state": "failed", "reason": "the chain broke"}}
    assert unknown["$error"]["state"] == "unknown"
    assert lines(run("tasks", "export", "1")) == [{"text": "one"}]


def test_ended_tasks_are_purged_and_unknown_ones_only_by_name(folder: Path, run: Any) -> None:
    assert lines(run("tasks", "purge", "--newer-than", "1h")) == [{"purged": 2}]
    assert [task["id"] for task in lines(run("tasks", "list", "--state", "all"))] == [3, 4]
    assert lines(run("tasks", "purge", "--state", "unknown")) == [{"purged": 1}]


def test_people_get_sentences(folder: Path, run: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("connector.cli.tasks_change.wants_json", lambda _: False)
    assert run("tasks", "retry", "2").stdout == "1 task queued again\n"


def test_a_backup_is_whole(folder: Path, run: Any) -> None:
    found = run("backup", "copy.db")
    assert found.exit_code == 0, found.output
    with closing(sqlite3.connect(folder / "copy.db")) as copy, copy:
        assert copy.execute("pragma quick_check").fetchone() == ("ok",)
    copy.close()
    (folder / "connector.yaml").write_text(f"engine: sqlite:///{folder / 'copy.db'}\n{CONFIGURATION}")
    assert len(lines(run("tasks", "list", "--state", "all"))) == 4


@pytest.mark.parametrize(("arguments", "says"), [
    (["retry", "99"], "there is no task 99"),
    (["retry", "1"], "task 1 is finished"),
    (["retry", "2", "99"], "there is no task 99"),
    (["skip", "99"], "there is no task 99"),
    (["skip", "1"], "task 1 is finished"),
    (["purge", "99"], "there is no task 99"),
    (["purge", "4"], "task 4 is new"),
    (["list", "99"], "there is no task 99"),
    (["export", "99", "2"], "there is no task 99"),
])  # fmt: skip
def test_a_task_that_is_not_there_or_not_fit_is_no_success(
    folder: Path, run: Any, arguments: list[str], says: str
) -> None:
    found = run("tasks", *arguments)
    assert found.exit_code == 2, found.output
    assert says in found.stderr


def test_a_task_is_told_to_people_and_to_programs(folder: Path, run: Any) -> None:
    text = run("tasks", "show", "3", "--text")
    assert text.exit_code == 0
    assert text.stdout.startswith("task 3 of route asking: unknown\n")
    assert "reason    nobody saw its end" in text.stdout
    assert "call 0 of attempt 1: chat completions create, open: nobody saw its end" in text.stdout
    assert '"content":"THREE"' in text.stdout
    assert all(len(line) <= 80 for line in text.stdout.splitlines())
    assert json.loads(run("tasks", "show", "3", "--json").stdout)["id"] == 3
    assert json.loads(run("tasks", "show", "3").stdout)["id"] == 3
    assert "no call was made" in run("tasks", "show", "4", "--text").stdout
