"""Documents through chains: one at a time, in order, many waiting at once, none harmed by another."""

from __future__ import annotations

import asyncio
import resource
import sys
import tracemalloc
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest

from connector.errors import ConfigurationError
from connector.model import Outcome, State
from connector.transform import Chain, Context, Failed, compile_chain
from tests.transform.kit import Memory, answering, trace_of

NUMBER = [{"value-mapper": {"accessor": "n", "mappers": ["cast-int"]}}]
CALL: dict[str, Any] = {"openai": {"entity": "echo", "payload": "&{n}", "destination": "answer"}}


async def drawn(documents: list[Any]) -> AsyncIterator[Any]:
    for document in documents:
        yield document


async def test_lost_documents_are_reported_and_neighbours_go_on() -> None:
    heard: list[tuple[str, Any, str]] = []
    context = Context(
        on_skip=lambda document, reason: heard.append(("skipped", document, reason)),
        on_failed=lambda document, failure: heard.append(("failed", document, failure.where)),
    )
    steps = [{"data": {"filters": [{"key-exists-condition": "n"}]}}, *NUMBER]
    documents = [{"n": "1"}, {}, {"n": "x"}, {"n": 2}]
    told = [("skipped", {}, "chain[0].data.filters[0]: key-exists-condition does not hold")]
    told += [("failed", {"n": "x"}, "chain[1]")]  # type: ignore[list-item]
    assert list(compile_chain(steps).run(documents, context)) == [{"n": 1}, {"n": 2}]
    assert heard == told
    heard.clear()
    assert [out async for out in compile_chain(steps).arun(drawn(documents), context)] == [{"n": 1}, {"n": 2}]
    assert heard == told


def test_a_failure_nobody_listens_to_is_raised_and_the_rest_can_still_be_had() -> None:
    source = iter([{"n": 1}, {"n": "x"}, {"n": 3}])
    stream = compile_chain(NUMBER).run(source)
    assert next(stream) == {"n": 1}
    with pytest.raises(Failed, match=r"chain\[0\]: cast-int"):
        next(stream)
    assert list(compile_chain(NUMBER).run(source)) == [{"n": 3}]


def test_a_step_that_breaks_fails_its_document_only() -> None:
    from connector.transform import Step
    from connector.transform.registry import build
    from connector.transform.steps.signals import SIGNALS

    kinds = build()
    kinds.steps.add(Step("broken", "Breaks.", {}, lambda: lambda document, _: document["no such key"]), "somebody")
    lost: list[str] = []
    chain = compile_chain([{"broken": {}}], kinds=kinds)
    assert list(
        chain.run([{}, {"no such key": 1}], Context(on_failed=lambda _, failure: lost.append(str(failure))))
    ) == [1]
    assert lost == ["chain[0]: KeyError: 'no such key'"]
    assert SIGNALS


def test_a_chain_takes_one_document_at_a_time() -> None:
    taken: list[int] = []

    def source() -> Iterator[Any]:
        for number in range(5):
            taken.append(number)
            yield {"n": number}

    stream = compile_chain([*NUMBER, {"brancher": "n"}]).run(source())
    assert taken == []
    next(stream)
    assert taken == [0]


def test_a_chain_that_waits_says_which_way_to_run_it() -> None:
    with pytest.raises(ConfigurationError, match="the chain waits in openai: use arun"):
        list(compile_chain([CALL]).run([{"n": 1}]))


class Upstream:
    """Answers calls when it is told to, and counts how many wait."""

    def __init__(self) -> None:
        self.waiting: dict[int, asyncio.Future[None]] = {}
        self.most = 0
        self.two = asyncio.Event()

    async def call(self, _client: str, _kind: str, request: Any) -> Outcome:
        number = request["payload"]
        self.waiting[number] = asyncio.get_running_loop().create_future()
        self.most = max(self.most, len(self.waiting))
        if len(self.waiting) == 2:
            self.two.set()
        await self.waiting[number]
        del self.waiting[number]
        return Outcome(State.DONE, 200, body=number * 10)


async def test_waiting_is_concurrent_bounded_and_keeps_order() -> None:
    upstream = Upstream()
    context = Context(call=upstream.call, concurrency=3)

    async def last_first() -> None:
        # Whoever waits longest is answered last.
        while True:
            for _ in range(20):
                await asyncio.sleep(0)
            if upstream.waiting:
                upstream.waiting[max(upstream.waiting)].set_result(None)

    answering = asyncio.create_task(last_first())
    found = [out async for out in compile_chain([CALL]).arun([{"n": number} for number in range(10)], context)]
    answering.cancel()
    assert found == [{"n": number, "answer": number * 10} for number in range(10)]
    assert upstream.most == 3


async def test_what_is_ready_is_given_while_the_source_is_slow() -> None:
    more = asyncio.Event()

    async def slow() -> AsyncIterator[Any]:
        yield {"n": 1}
        await more.wait()
        yield {"n": 2}

    stream = compile_chain([CALL]).arun(slow(), Context(call=answering("a", "b")))
    assert await anext(stream) == {"n": 1, "answer": "a"}
    more.set()
    assert [out async for out in stream] == [{"n": 2, "answer": "b"}]


async def test_leaving_early_cancels_what_waits_and_closes_the_source() -> None:
    upstream, closed = Upstream(), asyncio.Event()

    async def source() -> AsyncIterator[Any]:
        try:
            for number in range(100):
                yield {"n": number}
        finally:
            closed.set()

    stream = compile_chain([CALL]).arun(source(), Context(call=upstream.call, concurrency=2))
    first = asyncio.create_task(anext(stream))  # type: ignore[arg-type]
    await upstream.two.wait()
    upstream.waiting[0].set_result(None)
    assert await first == {"n": 0, "answer": 0}
    await stream.aclose()  # type: ignore[attr-defined]
    await asyncio.wait_for(closed.wait(), 30)


async def test_a_refused_call_fails_its_document_with_the_reason() -> None:
    lost: list[str] = []
    context = Context(call=answering("a"), on_failed=lambda _, failure: lost.append(str(failure)), concurrency=1)
    found = [out async for out in compile_chain([CALL]).arun([{"n": 1}, {"n": 2}], context)]
    assert found == [{"n": 1, "answer": "a"}]
    assert lost == ["chain[0]: openai: refused with status 400: no more answers"]


async def test_what_calls_are_asked() -> None:
    asked: list[Any] = []
    steps = [
        {
            "openai": {
                "client": "o",
                "entity": "embeddings",
                "payload": {"input": "&{t}", "user": "?{u}"},
                "destination": "e",
            }
        },
        {
            "http-transformer": {
                "client": "h",
                "request": {"uri": "/a?x=1", "payload": {"q": "&{t}"}},
                "destination": "g",
            }
        },
        {
            "http": {
                "client": "h",
                "request": {"method": "post", "path": "/b", "payload": "&{t}", "payloadType": "form"},
            }
        },
    ]
    context = Context(call=answering(1, 2, {"done": True}, asked=asked), omit_null=True)
    assert await compile_chain(steps).aapply({"t": "é"}, context) == [{"done": True}]
    empty: dict[str, Any] = {"path": {}, "query": {}, "headers": {}}
    assert asked == [
        ("o", "openai", {"entity": "embeddings", "action": None, "payload": {"input": "é"}, **empty}),
        (
            "h",
            "http",
            {
                "method": "GET",
                "path": "/a?x=1",
                "query": {"q": "é"},
                "headers": {},
                "payload": None,
                "payload_type": "json",
            },
        ),
        (
            "h",
            "http",
            {"method": "POST", "path": "/b", "query": {}, "headers": {}, "payload": "é", "payload_type": "form"},
        ),
    ]


def batches(parameters: Any, documents: list[Any]) -> list[Any]:
    chain = compile_chain([{"value-setter": {"configurations": {"s": "&{n}"}}}, {"aggregate": parameters}])
    return [[item["n"] for item in out["items"]] for out in chain.run(documents)]


def test_documents_are_collected_into_one() -> None:
    documents = [{"n": number} for number in range(5)]
    assert batches(2, documents) == [[0, 1], [2, 3], [4]]
    assert batches({"size": 5}, documents) == [[0, 1, 2, 3, 4]]
    assert batches({"bytes": 30}, documents) == [[0, 1], [2, 3], [4]]
    assert batches({"bytes": 5}, documents) == [[0], [1], [2], [3], [4]]
    assert batches({"seconds": 1000}, documents) == [[0, 1, 2, 3, 4]]
    assert batches(2, []) == []


async def test_a_batch_that_is_due_does_not_wait_for_the_next_document() -> None:
    never = asyncio.Event()

    async def stuck() -> AsyncIterator[Any]:
        yield {"n": 1}
        await never.wait()

    stream = compile_chain([{"aggregate": {"size": 10, "seconds": 0.01}}]).arun(stuck())
    assert await asyncio.wait_for(anext(stream), 30) == {"items": [{"n": 1}]}  # type: ignore[arg-type]
    await stream.aclose()  # type: ignore[attr-defined]


async def test_steps_go_on_behind_batches_and_branches() -> None:
    steps = [
        {"aggregate": 2},
        {"value-setter": {"configurations": {"count": "&{length(items)}"}}},
        {"brancher": "items.*"},
        {"data": {"filters": [{"value-condition": {"accessor": "n", "conditions": [{"not-equals": 2}]}}]}},
        *NUMBER,
    ]
    documents = [{"n": "1"}, {"n": 2}, {"n": "x"}, {"n": "4"}, {"n": 5}]
    lost: list[Any] = []
    context = Context(
        on_skip=lambda document, _: lost.append(document), on_failed=lambda document, _: lost.append(document)
    )
    assert list(compile_chain(steps).run(documents, context)) == [{"n": 1}, {"n": 4}, {"n": 5}]
    assert lost == [{"n": 2}, {"n": "x"}]
    lost.clear()
    assert [out async for out in compile_chain(steps).arun(documents, context)] == [{"n": 1}, {"n": 4}, {"n": 5}]
    assert lost == [{"n": 2}, {"n": "x"}]


async def test_branches_inside_a_case() -> None:
    steps = [
        {"conditional": {"filters": [{"key-exists-condition": "l"}], "transformers": [{"brancher": "l.*"}, *NUMBER]}}
    ]
    lost: list[Any] = []
    context = Context(on_failed=lambda document, _: lost.append(document))
    documents = [{"l": [{"n": "1"}, {"n": "x"}, {"n": "3"}]}, {"n": "whole"}]
    expected = [{"n": 1}, {"n": 3}, {"n": "whole"}]
    assert list(compile_chain(steps).run(documents, context)) == expected
    assert [out async for out in compile_chain(steps).arun(documents, context)] == expected
    assert lost == [{"n": "x"}] * 2


async def test_only_new_and_changed_documents_pass() -> None:
    memory = Memory()
    context = Context(storages={"seen": memory}, concurrency=8)
    chain = compile_chain([{"storage-filter-stored-entity": {"storage": "seen", "storageKey": "&{id}"}}])
    documents = [{"id": 1, "v": 1}, {"id": 1, "v": 1}, {"id": 2, "v": 1}, {"v": 1, "id": 2}]
    assert [out async for out in chain.arun(documents, context)] == [documents[0], documents[2]]
    changed = [{"id": 1, "v": 2}, {"id": 2, "v": 1}]
    assert [out async for out in chain.arun(changed, context)] == [changed[0]]
    unkeyed = compile_chain([{"storage-filter-stored-entity": {"storage": "seen", "add_entity_to_storage": False}}])
    assert [out async for out in unkeyed.arun([{"a": 1}, {"a": 1}], context)] == [{"a": 1}, {"a": 1}]


async def test_storages_are_told_apart_by_name() -> None:
    chain = compile_chain([{"storage-get-entity-from-storage": {"storage": "nope", "storageKey": "x"}}])
    with pytest.raises(Failed, match="no storage is named 'nope'; there are: seen"):
        await chain.aapply({}, Context(storages={"seen": Memory()}))


def flat(chain: Chain, count: int) -> int:
    """The most memory that this many documents of a kilobyte took, in bytes."""
    documents = ({"n": str(number), "text": "x" * 1000, "l": [{"q": number}] * 3} for number in range(count))
    tracemalloc.start()
    try:
        done = sum(1 for _ in chain.run(documents, Context(on_failed=lambda _document, _failure: None)))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert done == count
    return peak


def test_any_number_of_documents_passes_in_flat_memory() -> None:
    steps = [
        *NUMBER,
        {"value-setter": {"configurations": {"sum": "&{sum(l[].q)}"}}},
        {"aggregate": 10},
        {"brancher": "items.*"},
    ]
    chain = compile_chain(steps)
    flat(chain, 100)
    assert flat(chain, 20_000) < 1_000_000


async def test_documents_that_wait_pass_in_flat_memory() -> None:
    async def call(_client: str, _kind: str, _request: Any) -> Outcome:
        return Outcome(State.DONE, 200, body="x" * 1000)

    async def source(count: int) -> AsyncIterator[Any]:
        for number in range(count):
            yield {"n": number}

    steps = [CALL, {"storage-get-entity-from-storage": {"storage": "s", "storageKey": "&{n}"}}]
    context = Context(call=call, storages={"s": Memory()}, concurrency=4)
    scale = 1 if sys.platform == "darwin" else 1024
    assert [out async for out in compile_chain(steps).arun(source(500), context)]
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * scale
    done = 0
    async for _ in compile_chain(steps).arun(source(20_000), context):
        done += 1
    assert done == 20_000
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * scale - before < 8 * 1024**2


async def test_a_document_that_cannot_be_collected_harms_no_other() -> None:
    chain = compile_chain([{"aggregate": {"size": 2, "value": "&{n}"}}])
    heard: list[tuple[Any, str]] = []
    context = Context(on_failed=lambda document, failure: heard.append((document, str(failure))))
    documents = [{"n": 1}, {"m": 2}, {"n": 3}]
    told = [({"m": 2}, "chain[0]: value: nothing at &{n} in the document; write ?{n} if it may be missing")]
    assert list(chain.run(documents, context)) == [{"items": [1, 3]}]
    assert heard == told
    assert [out async for out in chain.arun(documents, context)] == [{"items": [1, 3]}]
    assert heard == told * 2
    assert [step.after for step in await trace_of(chain, {"n": 1})] == [[]]


DROPPED: list[tuple[Any, Any, str]] = [
    ({"brancher": "l.*"}, {}, "chain[0].data.transformers[0]: brancher: nothing at 'l.*'"),
    (
        {"schema": {"schema": {"required": ["a"]}, "on_invalid": "skip"}},
        {},
        "chain[0].data.transformers[0]: schema: document.a: missing",
    ),
]


@pytest.mark.parametrize(("step", "document", "reason"), DROPPED)
def test_a_step_that_drops_is_named_by_its_place(step: Any, document: Any, reason: str) -> None:
    heard: list[str] = []
    chain = compile_chain([{"data": {"filters": [{"key-not-exists": "x"}], "transformers": [step]}}])
    assert chain.apply(document, Context(on_skip=lambda _, why: heard.append(why))) == []
    assert heard[0].startswith(reason)


def test_faults_may_be_noted_instead() -> None:
    step = {"schema": {"schema": {"required": ["a"]}, "source": "b", "on_invalid": "note", "destination": "faults"}}
    chain = compile_chain([step])
    assert chain.apply({"b": {"a": 1}}) == [{"b": {"a": 1}, "faults": []}]
    assert chain.apply({"b": {}}) == [{"b": {}, "faults": ["document.a: missing; this field is required"]}]
    assert chain.apply({}) == [{"faults": ["nothing stands at the source"]}]
