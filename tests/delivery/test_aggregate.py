"""Tasks that go on together: gathered, carried by one, settled with it."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest

from connector.delivery.route_spec import implied_routes
from connector.engine import Filter, TaskState

EMBED = {"prototype": "openai", "parameters": {"client": "openai", "entity": "embeddings"}}
INPUTS = {"payload": {"model": "m", "input": "&{items}"}}
GATHER = [{"aggregate": {"size": 3, "value": "&{text}"}}]
OUT = {"publisher": EMBED, "request": INPUTS, "chain": GATHER}
GATHERED = "r:gathered"


def embed(request: httpx.Request) -> httpx.Response:
    inputs = json.loads(request.content)["input"]
    data = [{"index": n, "embedding": "AACAPwAAAAA="} for n in range(len(inputs))]
    return httpx.Response(200, json={"object": "list", "data": data})


@pytest.fixture
async def carried(bench: Any) -> Any:
    """A bench whose route gathers, and what carries the tasks that are leased."""

    async def make(answer: Any = embed, **given: Any) -> Any:
        at = await bench(answer, **{"out": OUT, **given})

        async def carry(most: int = 100) -> None:
            tasks = await at.store.lease("r", most)
            await at.store.commit(await at.delivery().carry(tasks))

        at.carry = carry
        return at

    return make


async def test_tasks_that_were_gathered_end_with_their_carrier(carried: Any) -> None:
    at = await carried()
    assert at.delivery().gathers
    assert implied_routes(at.runtime, "r") == (GATHERED,)
    numbers = await at.accept(*({"text": f"t{n}"} for n in range(7)))
    await at.carry()
    assert len(await at.store.tasks(Filter(route=GATHERED))) == 2
    await at.store.commit(await at.delivery().carry_rest())
    await at.until_ended(GATHERED)
    assert [post["input"] for post in at.upstream.posts] == [["t0", "t1", "t2"], ["t3", "t4", "t5"], ["t6"]]
    assert [(await at.task(number)).state for number in numbers] == [TaskState.FINISHED] * 7


async def test_those_that_wait_for_others_are_leased_again_after_a_crash(carried: Any) -> None:
    at = await carried()
    await at.accept(*({"text": f"t{n}"} for n in range(4)))
    await at.carry()
    await at.crash()
    await at.carry()
    await at.store.commit(await at.delivery().carry_rest())
    await at.until_ended(GATHERED)
    assert sorted(text for post in at.upstream.posts for text in post["input"]) == ["t0", "t1", "t2", "t3"]


async def test_a_carrier_that_fails_fails_its_tasks(carried: Any) -> None:
    at = await carried(lambda _: httpx.Response(400, json={"error": {"message": "no"}}))
    numbers = await at.accept(*({"text": f"t{n}"} for n in range(3)))
    await at.carry()
    await at.until_ended(GATHERED)
    tasks = [await at.task(number) for number in numbers]
    assert [task.state for task in tasks] == [TaskState.FAILED] * 3
    assert "400" in tasks[0].reason


async def test_a_carrier_that_waits_keeps_its_tasks_waiting(carried: Any) -> None:
    fails = [True]
    at = await carried(lambda request: httpx.Response(429, json={}) if fails else embed(request))
    numbers = await at.accept(*({"text": f"t{n}"} for n in range(3)))
    await at.carry()
    await at.work(GATHERED)
    assert not await at.store.lease("r", 10)
    fails.clear()
    await at.until_ended(GATHERED)
    assert [(await at.task(number)).state for number in numbers] == [TaskState.FINISHED] * 3


async def test_one_that_is_dropped_or_fails_leaves_the_others(carried: Any) -> None:
    filters = [{"value-condition": {"accessor": "keep", "conditions": [{"equals": True}]}}]
    chain = [{"data": {"filters": filters}}, *GATHER]
    at = await carried(out={**OUT, "chain": chain})
    documents = [{"text": "a", "keep": True}, {"text": "b", "keep": False}, {"keep": True}, {"text": "c", "keep": True}]
    numbers = await at.accept(*documents)
    await at.carry()
    await at.store.commit(await at.delivery().carry_rest())
    await at.until_ended(GATHERED)
    states = [(await at.task(number)).state for number in numbers]
    assert states == [TaskState.FINISHED, TaskState.SKIPPED, TaskState.FAILED, TaskState.FINISHED]
    assert at.upstream.posts[0]["input"] == ["a", "c"]


async def test_a_task_of_several_documents_may_go_in_several_carriers(carried: Any) -> None:
    chain = [{"brancher": {"pattern": "parts.*"}}, *GATHER]
    at = await carried(out={**OUT, "chain": chain})
    [number] = await at.accept({"parts": [{"text": f"t{n}"} for n in range(5)]})
    await at.carry()
    await at.store.commit(await at.delivery().carry_rest())
    await at.until_ended(GATHERED)
    assert [post["input"] for post in at.upstream.posts] == [["t0", "t1", "t2"], ["t3", "t4"]]
    assert (await at.task(number)).state is TaskState.FINISHED
    assert await at.states(GATHERED) == {TaskState.FINISHED: 2}


async def test_what_was_gathered_is_given_back_when_a_task_is_anothers(carried: Any) -> None:
    at = await carried()
    first, second = await at.accept({"text": "a"}, {"text": "b"})
    await at.carry()
    change = await at.delivery().carry_abandon([first])
    assert [settled.task for settled in change.settle] == [second]
    assert not (await at.delivery().carry_rest()).carry


async def test_what_a_chain_keeps_of_a_gathered_document_is_kept_with_its_carrier(carried: Any) -> None:
    new = [{"storage-filter-stored-entity": {"storage": "seen", "storage_key": "&{text}"}}]
    at = await carried(out={**OUT, "chain": [*new, *GATHER]}, sections={"storages": {"seen": {}}})
    await at.accept({"text": "a"}, {"text": "b"})
    await at.carry()
    await at.crash()  # before anything was carried: both are new still
    await at.carry()
    await at.store.commit(await at.delivery().carry_rest())
    await at.until_ended(GATHERED)
    assert at.upstream.posts[0]["input"] == ["a", "b"]
    [again] = await at.accept({"text": "a"})
    await at.carry()
    assert (await at.task(again)).state is TaskState.SKIPPED
