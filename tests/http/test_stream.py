"""Streams: data as they come, errors in the middle, and ends that nobody saw."""

from __future__ import annotations

import httpx
import pytest

from connector.catalogue.operation import Operation
from connector.model import CallFailed, State

CHAT = Operation(
    entity="chat completions", action="create", area="chat", method="POST", template="/chat/completions",
    answer={"json": "X", "events": "Y"}, ends=("[DONE]",),
)  # fmt: skip
RESPONSES = Operation(
    entity="responses", action="create", area="responses", method="POST", template="/responses",
    answer={"json": "X", "events": "Y"}, ends=("response.completed", "response.failed", "response.incomplete"),
)  # fmt: skip

CHUNKS = [{"id": "c", "object": "chat.completion.chunk", "choices": [{"delta": {"content": text}}]} for text in "ab"]
CHAT_STREAM = (
    b'data: {"id":"c","object":"chat.completion.chunk","choices":[{"delta":{"content":"a"}}]}\n\n: still here\n\n'
    b'data: {"id":"c","object":"chat.completion.chunk","choices":[{"delta":{"content":"b"}}]}\n\ndata: [DONE]\n\n'
)
TYPED = (
    b'event: response.created\ndata: {"type":"response.created"}\n\n'
    b'event: response.completed\ndata: {"type":"response.completed","response":{"id":"r","error":null}}\n\n'
)


class Pieces(httpx.AsyncByteStream):
    def __init__(self, data: bytes, size: int = 7, end: Exception | None = None) -> None:
        self.data, self.size, self.end = data, size, end
        self.closed = False

    async def __aiter__(self):
        for at in range(0, len(self.data), self.size):
            yield self.data[at : at + self.size]
        if self.end is not None:
            raise self.end

    async def aclose(self) -> None:
        self.closed = True


def events(data: bytes, **options):
    return httpx.Response(200, stream=Pieces(data, **options), headers={"content-type": "text/event-stream"})


async def gathered(client, wire):
    seen, failed = [], None
    try:
        async for datum in client.stream(wire):
            seen.append(datum)  # noqa: PERF401  what came before the error counts
    except CallFailed as error:
        failed = error.outcome
    return seen, failed


@pytest.mark.parametrize("size", [1, 2, 3, 1000])
async def test_data_come_as_json_until_done(make_client, wire, size):
    client = make_client(lambda request: events(CHAT_STREAM, size=size))
    assert await gathered(client, wire(operation=CHAT, answer="events")) == (CHUNKS, None)


async def test_the_server_is_asked_for_events(make_client, wire, answers):
    upstream = answers(events(CHAT_STREAM))
    await gathered(make_client(upstream), wire(operation=CHAT))
    assert upstream.requests[0].headers["accept"] == "text/event-stream"


async def test_typed_events_end_with_their_last_one(make_client, wire):
    client = make_client(lambda request: events(TYPED + b"data: {never read"))
    seen, failed = await gathered(client, wire(operation=RESPONSES))
    assert [datum["type"] for datum in seen] == ["response.created", "response.completed"]
    assert failed is None


async def test_an_event_is_wrapped_when_its_datum_does_not_name_it(make_client, wire):
    stream = b'event: thread.run.created\ndata: {"id":"run"}\n\nevent: done\ndata: [DONE]\n\n'
    seen, failed = await gathered(make_client(lambda request: events(stream)), wire(operation=CHAT))
    assert seen == [{"event": "thread.run.created", "data": {"id": "run"}}]
    assert failed is None


@pytest.mark.parametrize("operation", [CHAT, RESPONSES])
async def test_a_stream_without_its_end_is_unknown(make_client, wire, operation):
    client = make_client(lambda request: events(b'data: {"id":"c"}\n\n'))
    seen, failed = await gathered(client, wire(operation=operation))
    assert seen == [{"id": "c"}]
    assert failed.state is State.UNKNOWN
    assert "ended without" in failed.reason


async def test_a_stream_nobody_knows_may_just_end(make_client, wire):
    client = make_client(lambda request: events(b"data: plain words\n\n"))
    assert await gathered(client, wire()) == (["plain words"], None)


@pytest.mark.parametrize(
    "error",
    [
        b'data: {"error":{"message":"too much","code":"server_error"}}\n\n',
        b'event: error\ndata: {"type":"error","message":"too much","code":"server_error"}\n\n',
        b'event: error\ndata: {"message":"too much"}\n\n',
        b"event: response.failed\n"
        b'data: {"type":"response.failed","response":{"id":"r","error":{"message":"too much"}}}\n\n',
    ],
)
async def test_an_error_in_the_middle_is_a_refusal(make_client, wire, answers, error):
    operation = RESPONSES
    upstream = answers(events(b'data: {"type":"x"}\n\n' + error))
    seen, failed = await gathered(make_client(upstream), wire(operation=operation))
    assert seen[0] == {"type": "x"}
    assert (failed.state, failed.status, len(upstream.requests)) == (State.REFUSED, 200, 1)
    assert failed.reason.startswith("too much")


async def test_an_overload_before_the_first_datum_is_tried_again(make_client, wire, answers):
    overloaded = events(b'data: {"error":{"message":"busy","code":"server_is_overloaded"}}\n\n')
    upstream = answers(overloaded, events(CHAT_STREAM))
    assert await gathered(make_client(upstream), wire(operation=CHAT)) == (CHUNKS, None)


async def test_an_overload_after_a_datum_is_not(make_client, wire, answers):
    late = events(CHAT_STREAM[:100] + b'\n\ndata: {"error":{"message":"busy","code":"server_is_overloaded"}}\n\n')
    upstream = answers(late, events(CHAT_STREAM))
    seen, failed = await gathered(make_client(upstream), wire(operation=CHAT))
    assert (len(seen), failed.state, len(upstream.requests)) == (1, State.REFUSED, 1)


@pytest.mark.parametrize("effect", ["none", "opaque"])
async def test_a_cut_stream_is_unknown_and_never_given_twice(make_client, wire, answers, effect):
    upstream = answers(events(CHAT_STREAM[:100], end=httpx.ReadError("the line broke")), events(CHAT_STREAM))
    seen, failed = await gathered(make_client(upstream), wire(effect, operation=CHAT))
    assert (len(seen), len(upstream.requests)) == (1, 1)
    assert failed.state is State.UNKNOWN
    assert failed.reason.startswith("the line broke")


async def test_a_free_stream_that_breaks_before_its_first_datum_is_tried_again(make_client, wire, answers):
    upstream = answers(events(b"data: {", end=httpx.ReadError("x")), events(CHAT_STREAM))
    assert await gathered(make_client(upstream), wire("none", operation=CHAT)) == (CHUNKS, None)


async def test_a_refused_stream_is_retried_and_told_like_any_call(make_client, wire, answers):
    full = httpx.Response(429, json={"error": {"message": "slow", "code": "rate_limit_exceeded"}})
    assert await gathered(make_client(answers(full, events(CHAT_STREAM))), wire(operation=CHAT)) == (CHUNKS, None)
    seen, failed = await gathered(make_client(answers(httpx.Response(400, json={}))), wire(operation=CHAT))
    assert (seen, failed.state, failed.status) == ([], State.REFUSED, 400)


async def test_a_server_that_does_not_stream_gives_its_answer_at_once(make_client, wire):
    client = make_client(lambda request: httpx.Response(200, json={"id": "c", "object": "chat.completion"}))
    assert await gathered(client, wire(operation=CHAT)) == ([{"id": "c", "object": "chat.completion"}], None)


async def test_a_portal_where_events_were_due_is_unknown(make_client, wire):
    seen, failed = await gathered(make_client(lambda request: httpx.Response(200, html="<p>")), wire(operation=CHAT))
    assert (seen, failed.state, failed.evidence) == ([], State.UNKNOWN, "<p>")


async def test_leaving_a_stream_closes_it_and_frees_its_place(make_client, wire):
    responses = []

    def upstream(request: httpx.Request) -> httpx.Response:
        responses.append(events(CHAT_STREAM))
        return responses[-1]

    client = make_client(upstream, limits={"concurrency": 1})
    for _ in range(3):
        stream = client.stream(wire(operation=CHAT))
        assert await anext(stream) == CHUNKS[0]
        await stream.aclose()
    assert [response.stream.closed for response in responses] == [True] * 3


async def test_a_stream_can_be_collected_into_one_outcome(make_client, wire):
    client = make_client(lambda request: events(CHAT_STREAM))
    outcome = await client.send(wire(operation=CHAT, answer="events"))
    assert (outcome.state, outcome.body) == (State.DONE, CHUNKS)


async def test_events_are_collected_even_when_nobody_expected_them(make_client, wire):
    outcome = await make_client(lambda request: events(CHAT_STREAM)).send(wire(operation=CHAT))
    assert outcome.body == CHUNKS


@pytest.mark.parametrize(
    ("stream", "state"),
    [
        (events(CHAT_STREAM[:100]), State.UNKNOWN),
        (events(CHAT_STREAM[:100], end=httpx.ReadError("broke")), State.UNKNOWN),
        (events(CHAT_STREAM[:100] + b'\n\ndata: {"error":{"message":"busy"}}\n\n'), State.REFUSED),
    ],
)
async def test_what_was_collected_before_a_break_is_kept(make_client, wire, stream, state):
    outcome = await make_client(lambda request: stream).send(wire(operation=CHAT, answer="events"))
    assert outcome.state is state
    assert outcome.body[0] == CHUNKS[0]


async def test_a_broken_datum_is_unknown(make_client, wire):
    seen, failed = await gathered(make_client(lambda request: events(b'data: {"a"\n\n')), wire(operation=CHAT))
    assert (seen, failed.state) == ([], State.UNKNOWN)
    assert "not whole JSON" in failed.reason
