"""What becomes of a task by what its calls came to: none has failed that took effect, none is paid twice in silence."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from connector.delivery import attempt
from connector.engine import TaskState

OPEN = (408, 409, 499, 500, 502, 503, 504, 524)
"""Answers after which nobody knows whether the API acted."""
DELETE = {
    "publisher": {"prototype": "openai", "parameters": {"client": "openai", "entity": "files", "action": "delete"}},
    "request": {"path": {"file_id": "file-&{text}"}},
}
CANCEL = {
    "publisher": {"prototype": "openai", "parameters": {"client": "openai", "entity": "batches", "action": "cancel"}},
    "request": {"path": {"batch_id": "batch-&{text}"}},
}
DONE = httpx.Response(200, json={"id": "c", "choices": []})


def no(status: int, message: str = "no", **headers: str) -> httpx.Response:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return httpx.Response(status, json={"error": {"message": message}}, headers=named)


def answering(*answers: httpx.Response | Exception) -> Callable[[httpx.Request], httpx.Response]:
    left = list(answers)

    def answer(_: httpx.Request) -> httpx.Response:
        then = left.pop(0) if len(left) > 1 else left[0]
        if isinstance(then, Exception):
            raise then
        return then

    return answer


async def ended(at: Any, **document: Any) -> Any:
    [number] = await at.accept({"text": "a", **document})
    await at.until_ended()
    return await at.task(number)


@pytest.mark.parametrize("status", OPEN)
async def test_an_opaque_call_that_may_have_taken_effect_is_unknown(bench: Any, status: int) -> None:
    at = await bench(answering(no(status)))
    task = await ended(at)
    assert (task.state, len(at.upstream.requests)) == (TaskState.UNKNOWN, 1)
    assert "may have taken effect" in task.reason


@pytest.mark.parametrize("status", [400, 404, 413, 422])
async def test_a_no_to_the_request_itself_has_failed(bench: Any, status: int) -> None:
    assert (await ended(await bench(answering(no(status))))).state is TaskState.FAILED


@pytest.mark.parametrize("first", [*OPEN, httpx.ReadError("reset")])
@pytest.mark.parametrize("gone", [404, 410])
async def test_a_delete_that_took_effect_is_finished(bench: Any, first: Any, gone: int) -> None:
    at = await bench(answering(no(first) if isinstance(first, int) else first, no(gone)), out=DELETE)
    task = await ended(at)
    assert (task.state, [call.state for call in task.calls]) == (TaskState.FINISHED, ["unknown", "done"])


async def test_a_first_delete_of_nothing_has_failed(bench: Any) -> None:
    assert (await ended(await bench(answering(no(404)), out=DELETE))).state is TaskState.FAILED


@pytest.mark.parametrize(
    ("said", "state"),
    [("it has already been cancelled", TaskState.FINISHED), ("it is already completed", TaskState.UNKNOWN)],
)
@pytest.mark.parametrize("status", [400, 409])
async def test_a_cancel_that_took_effect_has_not_failed(bench: Any, status: int, said: str, state: TaskState) -> None:
    task = await ended(await bench(answering(no(408), no(status, said)), out=CANCEL))
    assert task.state is state


@pytest.mark.parametrize("out", [DELETE, CANCEL])
async def test_what_may_be_repeated_and_never_answers_well_is_unknown(bench: Any, out: Any) -> None:
    at = await bench(answering(no(500)), out=out)
    task = await ended(at)
    assert (task.state, len(at.upstream.requests)) == (TaskState.UNKNOWN, 3)


WAYS: dict[str, dict[str, Any]] = {
    "all errors": {"retry": {"all_errors": True}},
    "all errors, in place": {"retry": {"all_errors": True, "max_retries": 2}},
    "a rule": {"errors": [{"status": 500, "then": "retry"}]},
    "a rule, in place": {"errors": [{"status": 500, "then": "retry"}], "retry": {"max_retries": 2}},
    "the client": {"retry": {"on_unknown": "retry"}},
    "the client, in place": {"retry": {"on_unknown": "retry", "max_retries": 2}},
    "the route": {"route": {"on_unknown": "retry"}},
    "the route, in place": {"route": {"on_unknown": "retry"}, "retry": {"max_retries": 2}},
    "the outgoing": {"out": {"on_unknown": "retry"}},
    "the server": {"headers": {"x_should_retry": "true"}},
}


@pytest.mark.parametrize("way", WAYS)
async def test_every_repeat_that_may_be_a_duplicate_is_named(bench: Any, way: str) -> None:
    given = dict(WAYS[way])
    bad = no(500, **given.pop("headers", {}))
    at = await bench(answering(bad, bad, DONE), **given)
    task = await ended(at)
    assert (task.state, len(at.upstream.requests)) == (TaskState.FINISHED, 3)
    assert "sent again although it may have taken effect before" in task.reason
    assert all(f"chat completions create in attempt {number}" in task.reason for number in (1, 2))


@pytest.mark.parametrize("last", [no(400), no(500), httpx.ReadError("reset"), httpx.ConnectError("away")])
async def test_what_may_have_taken_effect_before_is_no_failure_afterwards(bench: Any, last: Any) -> None:
    at = await bench(answering(no(500), last), route={"on_unknown": "retry", "attempts": 2})
    [number] = await at.accept({"text": "a"})
    for _ in range(4):
        await at.work()
        at.clock.now += 1000
    task = await at.task(number)
    assert task.state in (TaskState.UNKNOWN, TaskState.WAITING)
    assert isinstance(last, httpx.ConnectError) is (task.state is TaskState.WAITING)


async def test_a_changed_request_names_what_was_asked_before(bench: Any) -> None:
    flex = {"transport": "flex", "flex": {"default_after": 1}}
    at = await bench(answering(no(500), DONE), out=flex, route={"on_unknown": "retry"})
    task = await ended(at)
    assert [post.get("service_tier") for post in at.upstream.posts] == ["flex", "default"]
    assert "chat completions create in attempt 1" in task.reason


KINDS: dict[str, tuple[dict[str, Any], str]] = {
    "opaque": ({}, "POST"),
    "again": ({"route": {"on_unknown": "retry"}}, "POST"),
    "all errors": ({"retry": {"all_errors": True}}, "POST"),
    "delete": ({"out": DELETE}, "DELETE"),
    "cancel": ({"out": CANCEL}, "POST"),
}
ANSWERS = st.tuples(st.sampled_from([200, 400, 404, 429, 401, *OPEN, 0]), st.booleans())
"""A status, or a reset, and whether the call took effect before that was said."""


@settings(max_examples=8, deadline=None, suppress_health_check=[*HealthCheck])
@pytest.mark.parametrize("kind", KINDS)
@given(script=st.lists(ANSWERS, max_size=6))
def test_no_answer_makes_an_effect_a_failure_or_a_duplicate_silent(
    kind: str, script: list[tuple[int, bool]], open_bench: Any
) -> None:
    asyncio.run(_judged(kind, script, open_bench))


async def _judged(kind: str, script: list[tuple[int, bool]], open_bench: Any) -> None:
    left, effects = list(script), [0]

    def answer(request: httpx.Request) -> httpx.Response:
        status, acts = left.pop(0) if left else (200, True)
        if kind in ("delete", "cancel") and effects[0]:
            return no(404 if kind == "delete" else 409, "it has already been cancelled")
        # An API that says that a request is wrong, or that it is asked too often, has not acted.
        effects[0] += status == 200 or (acts and status in (0, *OPEN) and (kind, status) != ("cancel", 409))
        if not status:
            raise httpx.ReadError("reset", request=request)
        return DONE if status == 200 else no(status)

    given, _ = KINDS[kind]
    with TemporaryDirectory() as folder:
        async with open_bench(Path(folder), answer, **json.loads(json.dumps(given))) as at:
            task = await ended(at)
    assert task.state is not TaskState.FAILED or not effects[0]
    # What is gone is gone, whoever has deleted it.
    assert task.state is not TaskState.FINISHED or effects[0] or kind == "delete"
    assert effects[0] <= 1 + task.reason.count("in attempt")
    if kind == "opaque":
        assert effects[0] <= 1


async def test_kills_before_anything_is_sent_cost_no_attempt(bench: Any) -> None:
    at = await bench()
    [number] = await at.accept({"text": "a"})
    for _ in range(7):
        await at.store.lease("r", 1)
        await at.crash()
    await at.until_ended()
    task = await at.task(number)
    assert (task.state, task.attempts, len(at.upstream.requests)) == (TaskState.FINISHED, 1, 1)


async def test_a_task_that_ends_its_process_again_and_again_fails(bench: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(attempt, "MOST_CUT_OFF", 4)
    at = await bench()
    [number] = await at.accept({"text": "a"})
    for _ in range(4):
        await at.store.lease("r", 1)
        await at.crash()
    await at.until_ended()
    task = await at.task(number)
    assert task.state is TaskState.FAILED
    assert "the process ended 4 times in a row" in task.reason
    assert not at.upstream.requests


async def test_an_attempt_without_an_end_that_used_up_the_last_one_is_unknown(bench: Any) -> None:
    at = await bench(out=DELETE, route={"attempts": 2})
    at.upstream.answer = answering(no(500))
    [number] = await at.accept({"text": "a"})
    for _ in range(2):
        await at.cut_off()
    await at.until_ended()
    task = await at.task(number)
    assert task.state is TaskState.UNKNOWN
    assert "no end after 2 attempts" in task.reason
