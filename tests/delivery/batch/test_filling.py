"""When a batch goes, and what cannot go in one."""

from __future__ import annotations

from typing import Any

import pytest

from connector.delivery.delivery import Delivery
from connector.engine import Change, NewTask
from connector.errors import ConfigurationError

EMBED = {
    "publisher": {"prototype": "openai", "parameters": {"client": "openai", "entity": "embeddings"}},
    "request": {"payload": {"model": "text-embedding-3-small", "input": "&{text}"}},
    "answer": {"publisher": {"prototype": "file", "parameters": {"url": "out.jsonl", "content": "&{body.data[0]}"}}},
}
CALL = {"prototype": "openai", "parameters": {"client": "openai", "entity": "chat completions"}}
BY_DOCUMENT = {"publisher": CALL}


def payload(text: str, **more: Any) -> dict[str, Any]:
    return {"payload": {"model": "gpt-5-mini", "messages": [{"role": "user", "content": text}], **more}}


async def sizes(at: Any) -> list[int]:
    tasks = await at.store.lease("r:batch", 100)
    return [task.document["requests"] for task in tasks]


async def test_a_full_batch_goes_at_once_and_the_rest_waits(bench) -> None:
    at = await bench(out={"batch": {"count": 2}})
    await at.accept("one", "two", "three", "four", "five")
    await at.gather(rest=False)
    assert await sizes(at) == [2, 2]
    assert (await at.states())["processing"] == 1


async def test_a_batch_is_full_by_its_bytes(bench) -> None:
    at = await bench(out={"batch": {"bytes": 400}})
    await at.accept("one", "two", "three", "four", "five")
    await at.gather()
    assert sorted(await sizes(at)) == [1, 2, 2]
    carriers = [task.document for task in (await at.store.tasks(_all("r:batch")))]
    assert all(one["bytes"] <= 400 for one in carriers)


async def test_what_is_old_enough_goes_without_the_others(bench) -> None:
    at = await bench(out={"batch": {"age": "60s"}})
    delivery = at.delivery("r")
    await at.accept("one")
    await at.gather(rest=False)
    assert delivery.carry_due == at.clock.now + 60
    at.clock.now += 60
    await at.accept("two", model="another")
    await at.store.commit(await delivery.carry_rest())
    assert delivery.carry_due is None
    assert await sizes(at) == [1]


async def test_each_model_has_batches_of_its_own(bench) -> None:
    ask = {"payload": {"model": "&{model}", "messages": [{"role": "user", "content": "&{text}"}]}}
    at = await bench(out={"request": ask})
    await at.accept("one", "two", model="gpt-5")
    await at.accept("three", model="gpt-5-mini")
    await at.live()
    assert await at.states() == {"finished": 3}
    assert sorted((one["model"], one["request_counts"]["total"]) for one in at.things("batches")) == [
        ("gpt-5", 2),
        ("gpt-5-mini", 1),
    ]


async def test_a_document_of_many_requests_has_one_end(bench) -> None:
    script = {"answers": [{"when": "payload.messages[-1].content == 'b'", "answer": {"status": 429}}]}
    said = {"publisher": {"prototype": "file", "parameters": {"url": "out.jsonl", "content": "&{document.name}"}}}
    at = await bench(script, out={"chain": [{"brancher": {"pattern": "parts.*"}}], "answer": said})
    [task] = await at.accept("", name="whole", parts=[{"text": "a"}, {"text": "b"}, {"text": "c"}])
    await at.gather()
    for _ in range(10):
        await at.step("r:batch")
        await at.pass_time(5)
    assert await at.states() == {"waiting": 1}
    at.sandbox.backend.script = at.sandbox.backend.script.__class__()
    await at.live()
    assert await at.states() == {"finished": 1}
    assert [one["request_counts"]["total"] for one in at.things("batches")] == [3, 1]
    assert [call.request["place"] for call in (await at.task(task)).calls] == [0, 1, 2, 1]
    assert at.written() == ["whole"] * 3


async def test_embeddings_come_back_as_numbers(bench) -> None:
    at = await bench(out=EMBED)
    [task] = await at.accept("one")
    await at.live()
    [call] = (await at.task(task)).calls
    assert call.request["body"]["encoding_format"] == "base64"
    [written] = at.written()
    assert all(isinstance(number, float) for number in written["embedding"])


@pytest.mark.parametrize(
    ("document", "reason"),
    [
        (payload("hi", stream=True), "asks for a stream"),
        (payload("hi") | {"headers": {"x-mine": "1"}}, "has headers"),
        (payload("sk-canary-0123456789"), "holds a secret"),
        (payload("long" * 200), "one batch takes"),
        ({"payload": {"model": "gpt-5"}}, "messages"),
    ],
)
async def test_what_cannot_stand_in_a_line_fails_and_is_not_sent(bench, document: Any, reason: str) -> None:
    at = await bench(out={**BY_DOCUMENT, "request": None, "batch": {"bytes": 600}})
    [task] = (await at.store.commit(Change(accept=[NewTask(route="r", document=document)]))).accepted
    await at.live()
    assert await at.states() == {"failed": 1}
    assert reason in (await at.task(task)).reason
    assert at.things("batches") == []
    assert not (await at.task(task)).calls


async def test_what_waited_is_given_back_and_goes_later(bench) -> None:
    at = await bench()
    tasks = await at.accept("one", "two")
    await at.gather(rest=False)
    await at.store.commit(await at.delivery("r").carry_abandon(()))
    assert await at.states() == {"waiting": 2}
    await at.live()
    assert await at.states() == {"finished": 2}
    assert at.ran() == tasks
    assert (await at.task(tasks[0])).attempts == 1


async def test_no_document_is_kept_in_memory_while_a_batch_fills(bench) -> None:
    at = await bench()
    await at.accept("one" * 1000)
    await at.gather(rest=False)
    [waiting] = [task for one in at.delivery("r")._carrying._bins.values() for task in one.members]
    assert waiting.document is None


@pytest.mark.parametrize(
    ("out", "reason"),
    [
        ({"publisher": {**CALL, "parameters": {**CALL["parameters"], "to": "x.json"}}}, "leave `to` out"),
        ({"chain": [{"aggregate": {"size": 2}}]}, "aggregate"),
    ],
)
async def test_a_route_that_cannot_be_batched_is_refused(bench, out: Any, reason: str) -> None:
    at = await bench(out=out)
    with pytest.raises(ConfigurationError, match=reason):
        Delivery(at.shared, "r")
    with pytest.raises(ConfigurationError, match=reason):
        Delivery(at.shared, "r:batch")


def _all(route: str) -> Any:
    from connector.engine import Filter

    return Filter(route=route)
