"""Calls of an incoming connection's chain that a process did not see the end of."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest

from connector.engine import Change, Filter, NewTask, TaskState
from tests.delivery.conftest import chat

AGAIN = "sent again although it may have taken effect before"
INTAKE = "r:incoming"


def step(entity: str, **payload: Any) -> dict[str, Any]:
    asked = {"client": "openai", "entity": entity, "action": "create", "destination": "made", "payload": payload}
    return {"openai": asked}


ASKS = step("chat completions", model="m", messages=[{"role": "user", "content": "&{text}"}])
MAKES = step("vector stores", name="&{text}")
DROPS = {"data": {"filters": [{"value-condition": {"accessor": "text", "conditions": [{"equals": "no"}]}}]}}


def read(*chain: Any) -> dict[str, Any]:
    file = {"prototype": "file", "parameters": {"url": "in.jsonl"}}
    return {"incoming": {"in": {"subscriber": file, "chain": [*chain]}}}


async def taken_on(at: Any, text: str = "hi") -> int:
    new = NewTask(route=INTAKE, document={"text": text}, key="k", version="v")
    return (await at.store.commit(Change(accept=[new]))).accepted[0]


async def test_a_costly_call_is_held_with_its_evidence(bench: Any) -> None:
    at = await bench(sections=read(ASKS))
    number = await taken_on(at)
    await at.cut_off(INTAKE)
    await at.until_ended(INTAKE)
    task = await at.task(number)
    assert (task.state, len(at.upstream.posts)) == (TaskState.UNKNOWN, 1)
    assert "chat completions create may have taken effect in attempt 1" in task.reason
    assert await at.store.tasks(Filter(route="r")) == []
    await at.store.retry(Filter(ids=[number]))
    await at.until_ended(INTAKE)
    [made] = await at.store.tasks(Filter(route="r", key="k"))
    assert made.source == number


@pytest.mark.parametrize("chain", [[ASKS], [ASKS, DROPS]], ids=["kept", "dropped"])
async def test_one_that_may_be_sent_again_is_named(bench: Any, chain: Any) -> None:
    at = await bench(sections=read(*chain), route={"on_unknown": "retry"})
    number = await taken_on(at)
    await at.cut_off(INTAKE)
    await at.until_ended(INTAKE)
    task = await at.task(number)
    assert task.state is (TaskState.SKIPPED if DROPS in chain else TaskState.FINISHED)
    assert len(at.upstream.posts) == 2
    assert AGAIN in task.reason


async def test_the_outgoing_connection_does_not_decide_for_what_is_read(bench: Any) -> None:
    at = await bench(sections=read(ASKS), out={"on_unknown": "retry"})
    number = await taken_on(at)
    await at.cut_off(INTAKE)
    await at.until_ended(INTAKE)
    assert (await at.task(number)).state is TaskState.UNKNOWN


async def test_one_that_can_be_found_is_looked_up(bench: Any) -> None:
    stores: list[Any] = []

    def answer(request: httpx.Request) -> httpx.Response:
        if request.method == "POST":
            asked = json.loads(request.content)
            stores.append({"id": f"vs-{len(stores)}", "metadata": asked["metadata"], "created_at": 1_700_000_000})
            return httpx.Response(200, json=stores[-1])
        return httpx.Response(200, json={"data": stores, "has_more": False})

    at = await bench(answer, sections=read(MAKES))
    await taken_on(at)
    await at.cut_off(INTAKE)
    await at.until_ended(INTAKE)
    [made] = await at.store.tasks(Filter(route="r"))
    assert (made.document["made"]["id"], len(stores)) == ("vs-0", 1)


async def test_an_answer_that_is_on_disk_is_used_when_something_behind_it_fails(bench: Any) -> None:
    fails = step("embeddings", model="m", input="&{text}")
    answers = iter([500, 503, 200])

    def answer(request: httpx.Request) -> httpx.Response:
        if request.url.path.endswith("embeddings"):
            retry = {"x-should-retry": "true"}
            return httpx.Response(next(answers), json={"data": []}, headers=retry)
        return chat(request)

    at = await bench(answer, sections=read(ASKS, fails))
    await taken_on(at)
    await at.until_ended(INTAKE)
    assert len(at.upstream.posts) == 4
    assert await at.states(INTAKE) == {TaskState.FINISHED: 1}


async def test_what_a_file_line_left_in_doubt_is_taken_on_when_a_person_says_so(bench: Any) -> None:
    from connector.intake.dead_letters import DEAD_LETTER, DeadLetters, Reread, dead_letter

    at = await bench(sections=read(ASKS))
    new = NewTask(route="r", document=dead_letter({"text": "hi"}, "why"), key=f"{DEAD_LETTER}in.jsonl:1", version="v")
    await at.store.commit(Change(accept=[new]))
    [task] = await at.store.lease("r", 1)
    takes = DeadLetters(at.delivery(), Reread(at.runtime, "r", at.shared.storages))
    await at.store.commit(await takes.attempt(task))
    assert at.upstream.posts == []
    [taken] = await at.store.tasks(Filter(route=INTAKE))
    assert (taken.document, taken.key) == ({"text": "hi"}, "in.jsonl:1")
