"""One task's attempts: what is sent, what is kept, where it stands then."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from connector.engine import Filter, TaskState
from connector.runtime.doubt import confirm_call

FILE = {"prototype": "file", "parameters": {"url": "out.jsonl"}}


def refusing(status: int, headers: dict[str, str] | None = None, **error: Any) -> Any:
    return lambda _: httpx.Response(status, json={"error": {"message": "no", **error}}, headers=headers)


def breaking(request: httpx.Request) -> httpx.Response:
    raise httpx.ReadError("reset", request=request)


def absent(request: httpx.Request) -> httpx.Response:
    raise httpx.ConnectError("no route to host", request=request)


def following(answers: Iterator[Any], request: httpx.Request) -> httpx.Response:
    """The next of some answers."""
    return next(answers)(request)


async def test_a_task_is_delivered_and_its_call_is_kept(bench: Any) -> None:
    at = await bench()
    [number] = await at.accept({"text": "hi"})
    await at.work()
    task = await at.task(number)
    assert (task.state, task.reason, task.attempts) == (TaskState.FINISHED, "", 1)
    [call] = task.calls
    assert (call.state, call.target, call.operation, call.effect) == (
        "done",
        "openai",
        "chat completions create",
        "opaque",
    )
    assert call.request["url"] == "https://api.openai.com/v1/chat/completions"
    assert call.request["body"]["messages"] == [{"role": "user", "content": "hi"}]
    assert call.outcome["body"]["choices"][0]["message"]["content"] == "re: hi"
    assert len(at.upstream.requests) == 1


async def test_an_intent_is_on_disk_before_the_first_byte(bench: Any) -> None:
    seen: list[Any] = []

    def handler(request: httpx.Request) -> httpx.Response:
        seen.append(list(committed))
        return httpx.Response(200, json={"id": "c"})

    at = await bench(handler)
    committed: list[Any] = []
    commit = at.store.commit

    async def watched(change: Any) -> Any:
        given = await commit(change)
        committed.extend(change.intend)
        return given

    at.store.commit = watched
    await at.accept({"text": "hi"})
    await at.work()
    [[intent]] = seen
    assert (intent.open, intent.operation) == (True, "chat completions create")


async def test_what_a_filter_drops_is_skipped(bench: Any) -> None:
    filters = [{"value-condition": {"accessor": "keep", "conditions": [{"equals": True}]}}]
    at = await bench(route={"chain": [{"data": {"filters": filters}}]})
    [number] = await at.accept({"text": "a", "keep": False})
    await at.work()
    task = await at.task(number)
    assert task.state is TaskState.SKIPPED
    assert "filters[0]" in task.reason
    assert not at.upstream.requests


async def test_the_routes_chain_comes_before_the_outgoings(bench: Any) -> None:
    first = [{"value-setter": {"configurations": [{"key": "text", "value": "&{text} one"}]}}]
    second = [{"value-setter": {"configurations": [{"key": "text", "value": "&{text} two"}]}}]
    at = await bench(route={"chain": first}, out={"chain": second})
    await at.accept({"text": "a"})
    await at.work()
    assert at.upstream.posts[0]["messages"][0]["content"] == "a one two"


async def test_a_request_that_is_wrong_fails_at_once_with_all_its_faults(bench: Any) -> None:
    ask = {"payload": {"messages": [{"role": "user", "content": "&{text}"}], "temperature": "hot", "n": 0}}
    at = await bench(out={"request": ask})
    [number] = await at.accept({"text": "a"})
    await at.work()
    task = await at.task(number)
    assert task.state is TaskState.FAILED
    assert all(name in task.reason for name in ("model", "temperature", "payload.n"))
    assert not at.upstream.requests
    assert not task.calls


async def test_a_chain_that_cannot_work_on_a_document_fails_it_at_once(bench: Any) -> None:
    at = await bench()
    [number] = await at.accept({"no": "text"})
    await at.work()
    task = await at.task(number)
    assert task.state is TaskState.FAILED
    assert "text" in task.reason


async def test_a_chain_may_say_that_a_document_is_to_be_tried_again_later(bench: Any) -> None:
    at = await bench(out={"chain": [{"exception": {"message": "not ready", "retry": True}}]})
    [number] = await at.accept({"text": "a"})
    began = at.clock.now
    [task] = await at.work()
    assert (task.state, task.due - began, task.reason) == (TaskState.WAITING, 10, "outgoing.out.chain[0]: not ready")
    await at.until_ended()
    task = await at.task(number)
    assert (task.state, task.attempts) == (TaskState.FAILED, 3)
    assert not at.upstream.requests


@pytest.mark.parametrize("status", [400, 404, 413, 422])
async def test_a_no_that_stays_a_no_fails_at_once(bench: Any, status: int) -> None:
    at = await bench(refusing(status))
    [number] = await at.accept({"text": "a"})
    await at.work()
    task = await at.task(number)
    assert task.state is TaskState.FAILED
    assert str(status) in task.reason
    assert task.calls[0].state == "refused"


async def test_too_many_requests_are_tried_again_until_the_attempts_end(bench: Any) -> None:
    at = await bench(refusing(429, code="rate_limit_exceeded"))
    [number] = await at.accept({"text": "a"})
    began = at.clock.now
    [task] = await at.work()
    assert (task.state, task.due - began) == (TaskState.WAITING, 10)
    await at.until_ended()
    task = await at.task(number)
    assert (task.state, task.attempts) == (TaskState.FAILED, 3)
    assert len(at.upstream.requests) == 3
    assert [call.attempt for call in task.calls] == [1, 2, 3]


async def test_a_server_that_asks_for_more_time_gets_it(bench: Any) -> None:
    at = await bench(refusing(429, {"retry-after": "77"}, code="rate_limit_exceeded"))
    await at.accept({"text": "a"})
    began = at.clock.now
    [task] = await at.work()
    assert task.due - began >= 77


async def test_an_end_that_nobody_saw_is_held_and_not_sent_again(bench: Any) -> None:
    at = await bench(breaking)
    [number] = await at.accept({"text": "a"})
    await at.until_ended()
    task = await at.task(number)
    assert task.state is TaskState.UNKNOWN
    assert "look" in task.reason
    assert task.calls[0].state == "unknown"
    assert len(at.upstream.requests) == 1


async def test_what_a_person_knows_is_passed_on_and_not_sent_again(bench: Any) -> None:
    at = await bench(breaking, out={"answer": {"chain": [{"expression": {"expression": "body"}}], "publisher": FILE}})
    [number] = await at.accept({"text": "a"})
    await at.until_ended()
    task = await at.task(number)
    assert task.state is TaskState.UNKNOWN
    assert await confirm_call(at.store, task.calls[0], {"said": "by a person"}, "their log", at.clock.now)
    await at.until_ended()
    task = await at.task(number)
    assert (task.state, task.reason) == (TaskState.FINISHED, "")
    assert len(at.upstream.requests) == 1
    pending = await at.store.pending_files()
    [(_, line)] = (await at.store.pending_lines(pending[0], 9)).lines
    assert json.loads(line.data) == {"said": "by a person"}


async def test_what_may_be_paid_twice_is_sent_again_and_every_time_is_named(bench: Any) -> None:
    answers = iter([breaking, breaking, None])

    def handler(request: httpx.Request) -> httpx.Response:
        then = next(answers)
        return then(request) if then else httpx.Response(200, json={"id": "c"})

    at = await bench(handler, route={"on_unknown": "retry"})
    [number] = await at.accept({"text": "a"})
    await at.until_ended()
    task = await at.task(number)
    assert task.state is TaskState.FINISHED
    assert [call.state for call in task.calls] == ["unknown", "unknown", "done"]
    assert "sent again although it may have taken effect before" in task.reason
    assert "attempt 1" in task.reason


async def test_the_route_says_before_the_outgoing_whether_to_send_again(bench: Any) -> None:
    at = await bench(breaking, route={"on_unknown": "hold"}, out={"on_unknown": "retry"}, retry={"on_unknown": "retry"})
    [number] = await at.accept({"text": "a"})
    await at.until_ended()
    assert (await at.task(number)).state is TaskState.UNKNOWN
    assert len(at.upstream.requests) == 1


async def test_a_delete_whose_repeat_finds_nothing_is_done(bench: Any) -> None:
    answers = iter([breaking, refusing(404)])
    delete = {"prototype": "openai", "parameters": {"client": "openai", "entity": "files", "action": "delete"}}
    at = await bench(
        lambda request: following(answers, request),
        out={"publisher": delete, "request": {"path": {"file_id": "&{id}"}}},
    )
    [number] = await at.accept({"id": "file-1"})
    await at.until_ended()
    task = await at.task(number)
    assert task.state is TaskState.FINISHED
    assert [call.state for call in task.calls] == ["unknown", "done"]


async def test_an_answer_whose_chain_fails_is_never_paid_for_again(bench: Any) -> None:
    at = await bench(out={"answer": {"chain": [{"exception": {"message": "not yet"}}]}})
    [number] = await at.accept({"text": "a"})
    await at.work()
    task = await at.task(number)
    assert task.state is TaskState.FAILED
    assert "not yet" in task.reason
    await at.store.retry(Filter(ids=[number]))
    await at.work()
    assert len(at.upstream.requests) == 1


async def test_of_many_requests_those_that_are_done_are_not_made_again(bench: Any) -> None:
    failing = {"b": True}

    def handler(request: httpx.Request) -> httpx.Response:
        said = json.loads(request.content)["messages"][0]["content"]
        return refusing(429)(request) if failing.get(said) else httpx.Response(200, json={"id": said})

    at = await bench(handler, out={"chain": [{"brancher": {"pattern": "items.*"}}], "answer": {"publisher": FILE}})
    [number] = await at.accept({"items": [{"text": "a"}, {"text": "b"}, {"text": "a"}]})
    [task] = await at.work()
    assert task.state is TaskState.WAITING
    assert "request 2 of 3" in task.reason
    assert not await at.lines()
    failing.clear()
    await at.until_ended()
    task = await at.task(number)
    assert task.state is TaskState.FINISHED
    assert [post["messages"][0]["content"] for post in at.upstream.posts] == ["a", "b", "b", "a"]
    assert await at.lines() == 3
    assert [json.loads(line)["body"]["id"] for line in (at.folder / "out.jsonl").read_text().splitlines()] == [
        "a",
        "b",
        "a",
    ]


async def test_calls_in_the_middle_of_a_chain_are_journalled(bench: Any) -> None:
    step = {"entity": "embeddings", "payload": {"model": "m", "input": "&{text}"}, "destination": "vector"}
    fails = [True]

    def handler(request: httpx.Request) -> httpx.Response:
        if request.url.path.endswith("/embeddings"):
            return httpx.Response(200, json={"object": "list", "data": [{"index": 0, "embedding": [0.5]}]})
        return refusing(429)(request) if fails else httpx.Response(200, json={"id": "c"})

    at = await bench(handler, out={"chain": [{"openai": step}]})
    [number] = await at.accept({"text": "a"})
    await at.work()
    fails.clear()
    await at.until_ended()
    task = await at.task(number)
    assert task.state is TaskState.FINISHED
    paths = [request.url.path.rsplit("/", 1)[1] for request in at.upstream.requests]
    assert paths == ["embeddings", "completions", "completions"]
    assert [(call.operation, call.state) for call in task.calls] == [
        ("embeddings create", "done"), ("chat completions create", "refused"), ("chat completions create", "done"),
    ]  # fmt: skip


async def test_a_call_in_a_chain_that_can_pass_makes_the_task_wait(bench: Any) -> None:
    step = {"entity": "embeddings", "payload": {"model": "m", "input": "&{text}"}, "destination": "vector"}
    at = await bench(refusing(429), out={"chain": [{"openai": step}]})
    await at.accept({"text": "a"})
    [task] = await at.work()
    assert task.state is TaskState.WAITING


async def test_an_answer_is_bounded_once_the_task_has_ended(bench: Any) -> None:
    body = {"id": "c", "text": "x" * 300_000}
    at = await bench(lambda _: httpx.Response(200, json=body), out={"answer": {"publisher": FILE}})
    [number] = await at.accept({"text": "a"})
    await at.work()
    omitted = (await at.task(number)).calls[0].outcome["body"]["$omitted"]
    assert omitted["bytes"] > 300_000
    await at.lines()
    assert len((at.folder / "out.jsonl").read_text()) > 300_000


async def test_a_poisonous_task_ends_after_its_attempts(bench: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def burst(_: Any) -> Any:
        raise RuntimeError("burst")

    at = await bench()
    poison, *others = await at.accept({"text": "bad"}, *({"text": f"t{n}"} for n in range(4)))
    delivery = at.delivery()
    writes = delivery._spec.writer.writes
    publish = writes.publish

    async def poisoned(document: Any, context: Any) -> Any:
        return burst(0) if document["payload"]["messages"][0]["content"] == "bad" else await publish(document, context)

    monkeypatch.setattr(writes, "publish", poisoned)
    await at.until_ended()
    task = await at.task(poison)
    assert (task.state, task.attempts) == (TaskState.FAILED, 3)
    assert "RuntimeError" in task.reason
    assert [(await at.task(other)).state for other in others] == [TaskState.FINISHED] * 4


async def test_equal_calls_of_one_document_are_told_apart_and_none_is_made_twice(bench: Any) -> None:
    step = {"entity": "embeddings", "payload": {"model": "m", "input": "&{text}"}, "destination": "vector"}
    fails, made = [True], [0]

    def handler(request: httpx.Request) -> httpx.Response:
        if request.url.path.endswith("/embeddings"):
            made[0] += 1
            return httpx.Response(200, json={"object": "list", "data": [{"index": 0, "embedding": [made[0] * 1.0]}]})
        return refusing(429)(request) if fails else httpx.Response(200, json={"id": "c"})

    chain = [{"brancher": {"pattern": "items.*"}}, {"openai": step}]
    at = await bench(handler, out={"chain": chain})
    [number] = await at.accept({"items": [{"text": "same"}] * 3})
    await at.work()
    fails.clear()
    await at.until_ended()
    assert (await at.task(number)).state is TaskState.FINISHED
    assert made == [3]


async def test_calls_of_the_answers_chain_are_not_made_twice(bench: Any) -> None:
    step = {"entity": "embeddings", "payload": {"model": "m", "input": "&{body.id}"}, "destination": "vector"}
    fails, paths = [True], []

    def handler(request: httpx.Request) -> httpx.Response:
        paths.append(request.url.path.rsplit("/", 1)[1])
        if paths[-1] == "moderations" and fails:
            return refusing(429)(request)
        data = [{"index": 0, "embedding": [1.0]}]
        return httpx.Response(200, json={"id": "c", "object": "list", "data": data})

    check = {"entity": "moderations", "payload": {"input": "x"}, "destination": "verdict"}
    at = await bench(handler, out={"answer": {"chain": [{"openai": step}, {"openai": check}], "publisher": FILE}})
    [number] = await at.accept({"text": "a"})
    await at.work()
    assert (await at.task(number)).state is TaskState.WAITING
    fails.clear()
    await at.until_ended()
    assert (await at.task(number)).state is TaskState.FINISHED
    assert paths == ["completions", "embeddings", "moderations", "moderations"]
    assert await at.lines() == 1
