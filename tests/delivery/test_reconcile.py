"""Calls whose end nobody saw: held, sent again, or found by listing."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest

from connector.engine import Filter, TaskState

FILES = {"prototype": "openai", "parameters": {"client": "openai", "entity": "files"}}
UPLOAD = {"payload": {"purpose": "batch", "file": {"$file": "&{file}"}}}
STORES = {"prototype": "openai", "parameters": {"client": "openai", "entity": "vector stores"}}
NAMED = {"payload": {"name": "&{name}"}}
CONTAINERS = {"prototype": "openai", "parameters": {"client": "openai", "entity": "containers"}}


def breaking(request: httpx.Request) -> httpx.Response:
    raise httpx.ReadError("reset", request=request)


def refused(status: int) -> httpx.Response:
    return httpx.Response(status, json={"error": {"message": "no"}})


@dataclass
class Made:
    """An upstream that makes things and lists them; `breaks` and `lists` say what becomes of its answers."""

    now: Callable[[], float]
    things: list[dict[str, Any]] = field(default_factory=list)
    breaks: list[Callable[[httpx.Request], httpx.Response] | None] = field(default_factory=list)
    lists: list[Callable[[httpx.Request], httpx.Response] | None] = field(default_factory=list)
    hidden_until: float = 0.0
    listed: list[dict[str, str]] = field(default_factory=list)

    def __call__(self, request: httpx.Request) -> httpx.Response:
        if request.method == "GET":
            self.listed.append(dict(request.url.params))
            instead = self.lists.pop(0) if self.lists else None
            shown = [thing for thing in self.things if self.now() >= self.hidden_until]
            newest = sorted(shown, key=lambda thing: -thing["created_at"])
            return instead(request) if instead else httpx.Response(200, json={"data": newest, "has_more": False})
        self.things.append({"id": f"x-{len(self.things)}", "created_at": int(self.now()), **self.given(request)})
        instead = self.breaks.pop(0) if self.breaks else None
        return instead(request) if instead else httpx.Response(200, json=self.things[-1])

    @staticmethod
    def given(request: httpx.Request) -> dict[str, Any]:
        if "multipart" not in request.headers["content-type"]:
            return json.loads(request.content)
        name = request.content.split(b'filename="')[1].split(b'"')[0].decode()
        return {"filename": name, "bytes": 3}


@pytest.fixture
async def made(bench: Any) -> Callable[..., Any]:
    """A bench before an upstream that makes things."""

    async def make(publisher: Any = STORES, request: Any = NAMED, **given: Any) -> tuple[Any, Made]:
        upstream = Made(lambda: 0.0)
        at = await bench(upstream, out={"publisher": publisher, "request": request}, **given)
        upstream.now = at.clock
        return at, upstream

    return make


async def test_a_cut_off_call_that_cannot_be_found_is_held(bench: Any) -> None:
    at = await bench()
    [number] = await at.accept({"text": "a"})
    await at.cut_off()
    await at.until_ended()
    task = await at.task(number)
    assert task.state is TaskState.UNKNOWN
    assert "cut off" in task.reason
    assert task.calls[0].state == "unknown"
    assert len(at.upstream.requests) == 1


async def test_who_retries_by_hand_knows_and_is_obeyed(bench: Any) -> None:
    at = await bench()
    [number] = await at.accept({"text": "a"})
    await at.cut_off()
    await at.until_ended()
    await at.store.retry(Filter(ids=[number]))
    await at.until_ended()
    task = await at.task(number)
    assert task.state is TaskState.FINISHED
    assert "sent again" in task.reason
    assert len(at.upstream.requests) == 2


async def test_a_cut_off_call_that_may_be_repeated_is_repeated(bench: Any) -> None:
    moderate = {"prototype": "openai", "parameters": {"client": "openai", "entity": "moderations"}}
    ask = {"payload": {"input": "&{text}"}}
    at = await bench(lambda _: httpx.Response(200, json={"id": "m"}), out={"publisher": moderate, "request": ask})
    [number] = await at.accept({"text": "a"})
    await at.cut_off()
    await at.until_ended()
    task = await at.task(number)
    assert (task.state, task.reason) == (TaskState.FINISHED, "")


async def test_what_was_cut_off_holds_the_task_although_it_would_now_ask_for_something_else(bench: Any) -> None:
    ask = {"payload": {"model": "one", "messages": [{"role": "user", "content": "&{text}"}]}}
    at = await bench(out={"request": ask})
    [number] = await at.accept({"text": "a"})
    await at.cut_off()
    ask["payload"]["model"] = "another"
    await at.until_ended()
    assert (await at.task(number)).state is TaskState.UNKNOWN
    assert len(at.upstream.requests) == 1


async def test_a_thing_that_was_made_is_found_by_our_key(made: Any) -> None:
    at, upstream = await made()
    [number] = await at.accept({"name": "products"})
    await at.cut_off()
    await at.until_ended()
    task = await at.task(number)
    assert task.state is TaskState.FINISHED
    assert len(upstream.things) == 1
    assert upstream.things[0]["name"] == "products"
    assert task.calls[0].outcome["body"]["id"] == "x-0"
    assert task.calls[0].request["body"]["metadata"] == upstream.things[0]["metadata"]
    assert upstream.listed == [{"limit": "100", "order": "desc"}]


async def test_a_lost_answer_is_looked_for_and_the_answer_chain_sees_what_was_found(made: Any) -> None:
    at, upstream = await made()
    upstream.breaks = [breaking]
    [number] = await at.accept({"name": "products"})
    [task] = await at.work()
    assert task.state is TaskState.WAITING
    await at.until_ended()
    task = await at.task(number)
    assert (task.state, len(upstream.things)) == (TaskState.FINISHED, 1)
    assert task.calls[0].outcome["found"] == {"by": "metadata.connector_task", "others": []}


async def test_a_thing_that_shows_late_is_waited_for(made: Any) -> None:
    at, upstream = await made()
    upstream.breaks = [breaking]
    upstream.hidden_until = at.clock.now + 20
    [number] = await at.accept({"name": "products"})
    await at.until_ended()
    assert ((await at.task(number)).state, len(upstream.things)) == (TaskState.FINISHED, 1)


async def test_what_does_not_show_when_the_list_has_settled_is_sent_again(made: Any) -> None:
    at, upstream = await made()
    upstream.breaks = [breaking]
    [number] = await at.accept({"name": "products"})
    began = at.clock.now
    await at.work()
    upstream.things.clear()
    await at.until_ended()
    task = await at.task(number)
    assert (task.state, len(upstream.things)) == (TaskState.FINISHED, 1)
    assert at.clock.now - began >= 30
    assert [call.state for call in task.calls] == ["not_sent", "done"]
    assert "did not take effect" in task.calls[0].outcome["reason"]
    assert task.reason == (
        "looked for in vain and sent again, so it may have taken effect twice: vector stores create in attempt 1"
    )


async def test_of_several_the_first_counts_and_the_others_are_named(made: Any) -> None:
    at, upstream = await made()
    [number] = await at.accept({"name": "products"})
    await at.cut_off()
    upstream.things.append({**upstream.things[0], "id": "x-later", "created_at": upstream.things[0]["created_at"] + 1})
    await at.until_ended()
    found = (await at.task(number)).calls[0].outcome
    assert (found["body"]["id"], found["found"]["others"]) == ("x-0", ["x-later"])


async def test_a_file_carries_the_key_in_its_name(made: Any, tmp_path: Any) -> None:
    (tmp_path / "t.jsonl").write_bytes(b"{}\n")
    at, upstream = await made(FILES, UPLOAD)
    numbers = await at.accept(*[{"file": str(tmp_path / "t.jsonl")}] * 2)
    await at.cut_off()
    assert len(upstream.things) == 1
    await at.until_ended()
    assert [(await at.task(number)).state for number in numbers] == [TaskState.FINISHED] * 2
    names = [thing["filename"] for thing in upstream.things]
    assert len(set(names)) == 2
    assert all(name.startswith("t.oc-") and name.endswith(".jsonl") for name in names)


async def test_a_file_that_the_document_names_keeps_its_name_and_is_nobody_elses(made: Any, tmp_path: Any) -> None:
    (tmp_path / "t.jsonl").write_bytes(b"{}\n")
    ask = {"payload": {"purpose": "batch", "file": {"$file": "&{file}", "filename": "mine.jsonl"}}}
    at, upstream = await made(FILES, ask)
    upstream.breaks = [breaking, breaking]
    numbers = await at.accept(*[{"file": str(tmp_path / "t.jsonl")}] * 2)
    await at.work()
    del upstream.things[1]
    await at.until_ended()
    tasks = [await at.task(number) for number in numbers]
    assert [task.state for task in tasks] == [TaskState.FINISHED] * 2
    assert [thing["filename"] for thing in upstream.things] == ["mine.jsonl"] * 2
    ids = {next(call for call in task.calls if call.state == "done").outcome["body"]["id"] for task in tasks}
    assert len(ids) == 2


async def test_an_older_thing_of_the_same_name_is_not_taken_for_it(made: Any) -> None:
    at, upstream = await made(CONTAINERS, NAMED)
    upstream.things.append({"id": "old", "name": "c", "created_at": int(at.clock.now) - 3600})
    upstream.breaks = [breaking]
    [number] = await at.accept({"name": "c"})
    await at.work()
    del upstream.things[1]
    await at.until_ended()
    task = await at.task(number)
    assert task.state is TaskState.FINISHED
    assert [thing["id"] for thing in upstream.things] == ["old", "x-1"]


async def test_a_list_that_cannot_be_read_now_is_read_later(made: Any) -> None:
    at, upstream = await made()
    upstream.breaks, upstream.lists = [breaking], [lambda _: refused(503), breaking]
    [number] = await at.accept({"name": "products"})
    await at.until_ended()
    assert ((await at.task(number)).state, len(upstream.things)) == (TaskState.FINISHED, 1)
    assert len(upstream.listed) == 3


@pytest.mark.parametrize("status", [403, 404])
async def test_a_list_that_may_not_be_read_leaves_the_task_unknown_and_the_client_at_work(
    made: Any, status: int
) -> None:
    at, upstream = await made()
    upstream.breaks, upstream.lists = [breaking], [lambda _: refused(status)]
    [number] = await at.accept({"name": "products"})
    await at.until_ended()
    task = await at.task(number)
    assert task.state is TaskState.UNKNOWN
    assert "cannot be looked up" in task.reason
    assert at.runtime.client("openai").paused is None
    await at.store.retry(Filter(ids=[number]))
    await at.until_ended()
    assert ((await at.task(number)).state, len(upstream.things)) == (TaskState.FINISHED, 2)


async def test_a_server_in_trouble_may_have_made_it(made: Any) -> None:
    at, upstream = await made()
    upstream.breaks = [lambda _: refused(500)]
    [number] = await at.accept({"name": "products"})
    await at.until_ended()
    assert ((await at.task(number)).state, len(upstream.things)) == (TaskState.FINISHED, 1)


async def test_attempts_end_although_every_answer_is_lost_and_nothing_is_made(made: Any) -> None:
    at, upstream = await made()
    upstream.breaks = [breaking] * 20
    [number] = await at.accept({"name": "products"})
    for _ in range(40):
        await at.work()
        upstream.things.clear()
        due = await at.store.next_due("r")
        if due is None:
            break
        at.clock.now = max(due, at.clock.now)
    task = await at.task(number)
    assert task.state is TaskState.UNKNOWN
    assert "3 attempts" in task.reason
    assert "looked for in vain and sent again" in task.reason
    assert [call.state for call in task.calls] == ["not_sent"] * 3


async def test_a_stored_completion_is_found_and_one_that_is_not_stored_cannot_be(bench: Any) -> None:
    kept: list[Any] = []

    def handler(request: httpx.Request) -> httpx.Response:
        if request.method == "GET":
            assert request.url.params["metadata[connector_task]"] == kept[0]["metadata"]["connector_task"]
            return httpx.Response(200, json={"data": kept, "has_more": False})
        asked = json.loads(request.content)
        kept.append({"id": "c-1", "created": 2_000_000_000, "metadata": asked["metadata"], "choices": []})
        return httpx.Response(200, json=kept[-1])

    message = {"role": "user", "content": "&{text}"}
    at = await bench(handler, out={"request": {"payload": {"model": "m", "messages": [message], "store": True}}})
    [number] = await at.accept({"text": "a"})
    await at.cut_off()
    await at.until_ended()
    assert (await at.task(number)).state is TaskState.FINISHED
    assert len(kept) == 1


async def test_a_raw_call_of_a_known_path_is_found_as_well(made: Any) -> None:
    raw = {"prototype": "http", "parameters": {"client": "openai", "path": "/vector_stores"}}
    at, upstream = await made(raw, NAMED)
    [number] = await at.accept({"name": "raw"})
    await at.cut_off()
    await at.until_ended()
    assert ((await at.task(number)).state, len(upstream.things)) == (TaskState.FINISHED, 1)


async def test_the_job_of_a_removed_operation_is_found_and_its_answer_has_the_old_shape(bench: Any) -> None:
    tunes = {"prototype": "openai", "parameters": {"client": "openai", "entity": "CreateFineTune"}}
    pick = [{"value-setter": {"configurations": [{"key": "kind", "value": "&{body.object}"}]}}]
    upstream = Made(lambda: 0.0)
    at = await bench(
        upstream,
        out={
            "publisher": tunes,
            "request": {"payload": {"training_file": "&{file}"}},
            "answer": {"chain": pick},
        },
        account={"on_removed": "successor"},
        sections={
            "incoming": {"answers": {"subscriber": {"prototype": "route", "parameters": {"route": "r"}}}},
            "outgoing": {"last": {"publisher": {"prototype": "none"}}},
            "routes": {"next": {"incoming": "answers", "outgoing": "last"}},
        },
    )
    upstream.now = at.clock
    [number] = await at.accept({"file": "file-1"})
    await at.cut_off()
    await at.until_ended()
    task = await at.task(number)
    assert (task.state, len(upstream.things)) == (TaskState.FINISHED, 1)
    assert (task.calls[0].operation, task.calls[0].effect) == ("fine-tuning jobs create", "reconcilable")
    assert task.calls[0].outcome["found"]["by"] == "metadata.connector_task"
    [answer] = await at.store.tasks(Filter(route="next"))
    assert answer.document["kind"] == "fine-tune"
