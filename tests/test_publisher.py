"""Writing through the transport seam: one call, many calls, streams, and the synchronous door."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator

import httpx
import pytest

from connector import CallFailed, Client, ConfigurationError, InvalidRequest, Publisher, State, blocking

CHAT = {"model": "gpt-5", "messages": [{"role": "user", "content": "Hi"}]}


def client(handler: object) -> Client:
    return Client("openai", token="sk-test", environ={}, transport=httpx.MockTransport(handler))  # type: ignore[arg-type]  # sync or async


def moderated(request: httpx.Request) -> httpx.Response:
    return httpx.Response(200, json={"id": json.loads(request.content)["input"], "results": []})


async def test_one_call_is_an_outcome() -> None:
    async with client(lambda _: httpx.Response(200, json={"id": "c"}, headers={"x-request-id": "req_1"})) as openai:
        outcome = await Publisher(openai, "chat completions", "create").publish({"payload": CHAT})
    assert (outcome.state, outcome.status, outcome.request_id, outcome.body) == (State.DONE, 200, "req_1", {"id": "c"})


async def test_a_delete_and_a_verb_are_published_too() -> None:
    seen: list[tuple[str, str]] = []

    def handle(request: httpx.Request) -> httpx.Response:
        seen.append((request.method, request.url.path))
        return httpx.Response(200, json={})

    async with client(handle) as openai:
        await Publisher(openai, "files", "delete").publish({"path": {"file_id": "file-1"}})
        await Publisher(openai, "batches", "cancel").publish({"path": {"batch_id": "b-1"}})
    assert seen == [("DELETE", "/v1/files/file-1"), ("POST", "/v1/batches/b-1/cancel")]


async def test_many_calls_are_bounded_and_each_has_its_position() -> None:
    under_way, most = 0, 0

    async def handle(request: httpx.Request) -> httpx.Response:
        nonlocal under_way, most
        under_way += 1
        most = max(most, under_way)
        await asyncio.sleep(0)
        under_way -= 1
        return moderated(request)

    async with client(handle) as openai:
        requests = ({"payload": {"input": str(n)}} for n in range(50))
        outcomes = {n: out async for n, out in Publisher(openai, "moderations").publish_many(requests, concurrency=4)}
    assert {n: out.body["id"] for n, out in outcomes.items()} == {n: str(n) for n in range(50)}
    assert 1 < most <= 4


async def test_an_invalid_request_harms_no_neighbour() -> None:
    async def requests() -> AsyncIterator[dict[str, object]]:
        yield {"payload": {"input": "a"}}
        yield {"payload": {"inputt": "b"}}
        yield {"payload": {"input": "c"}}

    async with client(moderated) as openai:
        outcomes = dict([one async for one in Publisher(openai, "moderations").publish_many(requests())])
    assert [outcomes[n].state for n in range(3)] == [State.DONE, State.NOT_SENT, State.DONE]
    assert {fault.where for fault in outcomes[1].faults} == {"payload.input", "payload.inputt"}


async def test_a_refused_key_pauses_the_client_instead_of_failing_every_call() -> None:
    asked = 0

    def handle(_: httpx.Request) -> httpx.Response:
        nonlocal asked
        asked += 1
        return httpx.Response(401, json={"error": {"message": "Incorrect API key provided"}})

    async with client(handle) as openai:
        requests = ({"payload": {"input": str(n)}} for n in range(100))
        outcomes = dict([one async for one in Publisher(openai, "moderations").publish_many(requests, concurrency=4)])
    states = [outcome.state for outcome in outcomes.values()]
    assert (asked, len(states)) == (states.count(State.REFUSED), 100)
    assert asked <= 4
    assert "the client is paused: " in next(o.reason for o in outcomes.values() if o.state is State.NOT_SENT)


async def test_leaving_many_early_leaves_nothing_running() -> None:
    async with client(moderated) as openai:
        many = Publisher(openai, "moderations").publish_many(
            ({"payload": {"input": str(n)}} for n in range(9)), concurrency=3
        )
        async for _ in many:
            break
        await many.aclose()
        await asyncio.sleep(0)
        assert [task for task in asyncio.all_tasks() if task is not asyncio.current_task()] == []


async def test_a_stream_asks_for_itself_and_gives_events() -> None:
    asked: list[bool] = []

    def handle(request: httpx.Request) -> httpx.Response:
        asked.append(json.loads(request.content)["stream"])
        return httpx.Response(
            200,
            text='data: {"n": 1}\n\ndata: {"n": 2}\n\ndata: [DONE]\n\n',
            headers={"content-type": "text/event-stream"},
        )

    async with client(handle) as openai:
        chat = Publisher(openai, "chat completions")
        assert [event["n"] async for event in chat.stream({"payload": CHAT})] == [1, 2]
    assert asked == [True]


async def test_a_stream_without_its_end_is_not_done() -> None:
    text = 'data: {"n": 1}\n\n'
    async with client(
        lambda _: httpx.Response(200, text=text, headers={"content-type": "text/event-stream"})
    ) as openai:
        stream = Publisher(openai, "chat completions").stream({"payload": CHAT})
        assert await anext(stream) == {"n": 1}
        with pytest.raises(CallFailed) as caught:
            await anext(stream)
    assert caught.value.outcome.state is State.UNKNOWN


async def test_a_publisher_only_writes() -> None:
    async with client(lambda _: httpx.Response(200)) as openai:
        with pytest.raises(ConfigurationError, match="only reads: use a subscriber"):
            Publisher(openai, "files", "list")
        with pytest.raises(InvalidRequest, match=r"payload\.messages: missing"):
            await Publisher(openai, "chat completions").publish({"payload": {"model": "gpt-5"}})


async def test_an_explanation_sends_nothing_and_shows_no_secret() -> None:
    def handle(_: httpx.Request) -> httpx.Response:
        raise AssertionError

    async with client(handle) as openai:
        shown = json.dumps(Publisher(openai, "chat completions").explain({"payload": CHAT}).as_document())
    assert "https://api.openai.com/v1/chat/completions" in shown
    assert "sk-test" not in shown


def test_the_synchronous_door_reads_writes_and_streams() -> None:
    def handle(request: httpx.Request) -> httpx.Response:
        if request.method == "GET":
            return httpx.Response(200, json={"data": [{"id": "a"}, {"id": "b"}], "has_more": False})
        if b'"stream"' in request.content:
            return httpx.Response(
                200, text='data: {"n": 1}\n\ndata: [DONE]\n\n', headers={"content-type": "text/event-stream"}
            )
        return moderated(request)

    with blocking.Client("openai", token="sk-test", environ={}, transport=httpx.MockTransport(handle)) as openai:
        moderations = blocking.Publisher(openai, "moderations")
        assert moderations.publish({"payload": {"input": "x"}}).body["id"] == "x"
        assert len(list(moderations.publish_many({"payload": {"input": str(n)}} for n in range(5)))) == 5
        assert moderations.explain({"payload": {"input": "x"}}).as_document()["method"] == "POST"
        assert [f["id"] for f in blocking.Subscriber(openai, "files").read()] == ["a", "b"]
        assert blocking.Subscriber(openai, "files").retrieve().ok
        assert list(blocking.Publisher(openai, "chat completions").stream({"payload": CHAT})) == [{"n": 1}]
        first = next(iter(blocking.Subscriber(openai, "files").read()))
        assert first == {"id": "a"}


def test_the_synchronous_door_raises_what_the_asynchronous_one_does() -> None:
    def handle(_: httpx.Request) -> httpx.Response:
        return httpx.Response(404, json={"error": {"message": "gone"}})

    with blocking.Client("openai", token="sk-test", environ={}, transport=httpx.MockTransport(handle)) as openai:
        with pytest.raises(CallFailed, match="gone"):
            list(blocking.Subscriber(openai, "files").read())
        with pytest.raises(InvalidRequest):
            blocking.Publisher(openai, "moderations").publish({"payload": {}})
