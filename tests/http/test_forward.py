"""Requests of others through a client: its address, credentials, pace and time-outs, and nothing held back."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import AsyncIterator

import httpx
import pytest

from connector.errors import ConfigurationError
from connector.http import ForwardRequest
from connector.http.prototypes.azure import AZURE
from connector.model import CallFailed, State
from connector.request.wire import BytesBody

POST = ForwardRequest(method="POST", path="/things", body=BytesBody("application/json", b'{"a":1}'))
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


async def passed_on(client, onward=POST):
    async with client.forward(onward) as passed:
        return passed.status, b"".join([chunk async for chunk in passed.chunks])


async def answers_ok(upstream, reader, writer):
    while True:
        await upstream.read_request(reader)
        writer.write(OK)


class Streamed:
    """A body that is only known while it comes."""

    content_type = "application/octet-stream"

    def __init__(self, pieces: list[bytes], length: int | None = None) -> None:
        self.pieces = pieces
        self.length = length
        self.started = 0

    async def chunks(self) -> AsyncIterator[bytes]:
        self.started += 1
        for piece in self.pieces:
            yield piece


@pytest.mark.parametrize("transport", ["aiohttp", "httpx"])
async def test_the_clients_credentials_and_address_take_the_place_of_the_callers(serve, make_client, transport):
    upstream = await serve(answers_ok)
    client = make_client(base_uri=f"{upstream.uri}/v1", transport=transport, organization="org-ours")
    theirs = [
        ("Authorization", "Bearer theirs"), ("api-key", "theirs"), ("OpenAI-Organization", "theirs"),
        ("OpenAI-Project", "theirs"), ("Host", "elsewhere.example"), ("Content-Length", "99"), ("Cookie", "theirs"),
        ("X-Own", "kept"), ("User-Agent", "an app"),
    ]  # fmt: skip
    onward = ForwardRequest(method="POST", path="/things", query="a=1&b=%20x", headers=theirs, body=POST.body)
    assert await passed_on(client, onward) == (200, b"ok")
    head = upstream.heads[0].decode().lower()
    assert head.startswith("post /v1/things?a=1&b=%20x http/1.1\r\n")
    assert "theirs" not in head
    assert "elsewhere" not in head
    assert head.count("authorization:") == head.count("content-length:") == head.count("host:") == 1
    assert "openai-organization: org-ours" in head
    assert "x-own: kept" in head
    assert "user-agent: an app" in head
    assert "accept-encoding: identity" in head
    assert upstream.bodies == [b'{"a":1}']


async def test_a_clients_own_headers_win(serve, make_client):
    upstream = await serve(answers_ok)
    client = make_client(None, "http", base_uri=upstream.uri, headers={"X-Own": "ours"})
    await passed_on(client, ForwardRequest(method="GET", path="/", headers=[("x-own", "theirs")]))
    assert b"ours" in upstream.heads[0]
    assert b"theirs" not in upstream.heads[0]


async def test_an_address_that_depends_on_the_body_is_found(serve, make_client):
    upstream = await serve(answers_ok)
    client = make_client(None, AZURE, endpoint=upstream.uri, api_key="k" * 9, api_version="2024-10-21")
    onward = ForwardRequest(
        method="POST", path="/chat/completions", query="api-version=theirs&x=1", payload={"model": "m"}
    )
    await passed_on(client, onward)
    line = upstream.heads[0].split(b"\r\n")[0].decode()
    assert line == "POST /openai/deployments/m/chat/completions?api-version=2024-10-21&x=1 HTTP/1.1"


async def test_an_answer_comes_piece_by_piece(serve, make_client):
    go_on = asyncio.Event()

    async def script(upstream, reader, writer):
        await upstream.read_request(reader)
        writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nfirst\r\n")
        await go_on.wait()
        writer.write(b"4\r\nlast\r\n0\r\n\r\n")

    upstream = await serve(script)
    client = make_client(base_uri=upstream.uri)
    async with client.forward(POST) as passed:
        assert await anext(passed.chunks) == b"first"
        go_on.set()
        assert await anext(passed.chunks) == b"last"


async def test_a_body_goes_out_piece_by_piece(serve, make_client):
    async def script(upstream, reader, writer):
        await upstream.read_request(reader)
        upstream.bodies.append(await reader.readuntil(b"0\r\n\r\n"))
        writer.write(OK)

    upstream = await serve(script)
    body = Streamed([b"one", b"two"])
    client = make_client(base_uri=upstream.uri)
    assert await passed_on(client, ForwardRequest(method="POST", path="/x", body=body)) == (200, b"ok")
    assert upstream.bodies == [b"3\r\none\r\n3\r\ntwo\r\n0\r\n\r\n"]


class FirstUnreachable(httpx.MockTransport):
    """A server that lets nobody connect the first time."""

    calls = 0

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self.calls += 1
        if self.calls == 1:
            raise httpx.ConnectError("no way")
        return await super().handle_async_request(request)


async def test_what_was_not_sent_is_tried_again_with_a_body_that_nobody_touched(make_client):
    transport = FirstUnreachable(lambda request: httpx.Response(200, content=request.content))
    body = Streamed([b"once"], 4)
    client = make_client(transport=transport)
    assert await passed_on(client, ForwardRequest(method="POST", path="/x", body=body)) == (200, b"once")
    assert (transport.calls, body.started) == (2, 1)


async def test_what_was_never_sent_is_told_so(make_client, answers):
    handler = answers(*[httpx.ConnectError("no way")] * 3)
    with pytest.raises(CallFailed) as caught:
        await passed_on(make_client(handler))
    assert caught.value.outcome.state is State.NOT_SENT
    assert len(handler.requests) == 3


@pytest.mark.parametrize("method", ["POST", "GET"])
async def test_an_unknown_outcome_is_not_repeated_even_for_a_read(make_client, answers, method):
    handler = answers(httpx.ReadError("gone"))
    with pytest.raises(CallFailed) as caught:
        await passed_on(make_client(handler), ForwardRequest(method=method, path="/x"))
    assert caught.value.outcome.state is State.UNKNOWN
    assert "gone" in caught.value.outcome.reason
    assert len(handler.requests) == 1


async def test_an_answer_that_breaks_off_is_unknown(serve, make_client):
    async def script(upstream, reader, writer):
        await upstream.read_request(reader)
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf")

    upstream = await serve(script)
    with pytest.raises(CallFailed) as caught:
        await passed_on(make_client(base_uri=upstream.uri))
    assert caught.value.outcome.state is State.UNKNOWN
    assert "in the middle" in caught.value.outcome.reason


async def test_the_whole_call_has_the_clients_time(serve, make_client):
    async def script(upstream, reader, writer):
        await upstream.read_request(reader)
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf")
        await reader.read()

    upstream = await serve(script)
    with pytest.raises(CallFailed, match=r"within 0\.2 seconds"):
        await passed_on(make_client(base_uri=upstream.uri, timeouts={"total": 0.2}))


async def test_a_refusal_is_passed_on_and_makes_everybody_wait(make_client, answers, clock):
    body = {"error": {"message": "slow down", "code": "rate_limit_exceeded"}}
    handler = answers(httpx.Response(429, json=body, headers={"retry-after": "7"}), httpx.Response(200))
    client = make_client(handler)
    async with client.forward(POST) as passed:
        assert passed.status == 429
        assert (b"retry-after", b"7") in [(name.lower(), value) for name, value in passed.headers]
        assert b"slow down" in b"".join([chunk async for chunk in passed.chunks])
        assert passed.outcome is not None
        assert passed.outcome.state is State.REFUSED
    assert len(handler.requests) == 1
    assert await passed_on(client) == (200, b"")
    assert clock.waits == [7.0]


async def test_a_refusal_never_shows_the_clients_key(make_client, answers):
    token = "sk-canary-1234567890"
    client = make_client(answers(httpx.Response(400, text=f"you sent {token}")))
    _, data = await passed_on(client)
    assert token.encode() not in data
    assert data.startswith(b"you sent ")


async def test_a_server_that_may_have_acted_is_judged_unknown(make_client, answers):
    async with make_client(answers(httpx.Response(504, text="proxy"))).forward(POST) as passed:
        assert passed.outcome is not None
        assert passed.outcome.state is State.UNKNOWN


async def test_a_paused_client_lets_one_call_try_now_and_then(make_client, answers, clock):
    spent = {"error": {"code": "insufficient_quota"}}
    handler = answers(httpx.Response(429, json=spent), httpx.Response(429, json=spent), httpx.Response(200))
    client = make_client(handler)
    assert (await passed_on(client))[0] == 429
    with pytest.raises(CallFailed, match="paused"):
        await passed_on(client)
    clock.now += 20
    assert (await passed_on(client))[0] == 429
    with pytest.raises(CallFailed, match="paused"):
        await passed_on(client)
    clock.now += 20
    assert (await passed_on(client))[0] == 200
    assert client.paused is None


@pytest.mark.parametrize(("status", "code"), [(403, "forbidden"), (401, "invalid_api_key")])
async def test_what_one_caller_is_refused_stops_nobody_else(make_client, answers, status, code):
    client = make_client(answers(httpx.Response(status, json={"error": {"code": code}}), httpx.Response(200)))
    assert (await passed_on(client))[0] == status
    assert client.paused is None
    assert (await passed_on(client))[0] == 200


async def test_places_are_given_back_whatever_happens(serve, make_client):
    async def script(upstream, reader, writer):
        await upstream.read_request(reader)
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\nhalf")
        await reader.read()

    upstream = await serve(script)
    client = make_client(base_uri=upstream.uri, limits={"concurrency": 1})
    for _ in range(3):  # with one place only, a place that is kept would make the next call wait for ever
        async with client.forward(POST) as passed:
            assert await anext(passed.chunks) == b"half"
    cancelled = asyncio.create_task(passed_on(client))
    await upstream.seen.wait()
    cancelled.cancel()
    await asyncio.gather(cancelled, return_exceptions=True)
    async with client.forward(POST) as passed:
        assert passed.status == 200


async def test_usage_that_was_read_corrects_the_clients_pace(make_client, answers, clock):
    client = make_client(answers(*[httpx.Response(200)] * 2), limits={"tokens_per_minute": 600})
    async with client.forward(POST) as passed:
        assert [chunk async for chunk in passed.chunks] == []
        passed.record_usage({"usage": {"total_tokens": 610}})
    await passed_on(client)
    assert sum(clock.waits) == pytest.approx(60, abs=0.5)


async def test_a_closed_client_passes_nothing_on(make_client, answers):
    client = make_client(answers())
    await client.close()
    with pytest.raises(ConfigurationError, match="closed"):
        client.forward(POST)


@pytest.mark.parametrize("status", [200, 422])
async def test_the_answers_headers_hold_no_secret_of_the_client(serve, make_client, status):
    async def echo(upstream, reader, writer):
        while head := await upstream.read_request(reader):
            writer.write(answer_to(head))

    def answer_to(head):
        token = head.lower().split(b"authorization: ")[1].split(b"\r\n")[0].split(b" ")[1]
        encoded = base64.b64encode(b"me:" + token)
        echoes = b"X-Echo: %b\r\nX-Basic: %b\r\nX-Request-Id: r-%b\r\n" % (token, encoded, token)
        return b"HTTP/1.1 %d X\r\n%bContent-Length: 2\r\n\r\nok" % (status, echoes)

    upstream = await serve(echo)
    client = make_client(base_uri=f"{upstream.uri}/v1", token="a-secret-of-ours")
    async with client.forward(POST) as passed:
        headers = dict(passed.headers)
    assert headers[b"X-Echo"] == b"***"
    assert headers[b"X-Request-Id"] == b"r-***"
    assert base64.b64encode(b"a-secret-of-ours")[:16] not in headers[b"X-Basic"]
    outcome = await client.send(client.prepare_raw("GET", "/things"), timeout=5)
    assert outcome.request_id == "r-***"
    assert "a-secret-of-ours" not in str(outcome.headers)


@pytest.mark.parametrize("transport", ["aiohttp", "httpx"])
async def test_a_protocol_that_nobody_asked_for_is_no_answer(serve, make_client, transport):
    async def switch(upstream, reader, writer):
        await upstream.read_request(reader)
        writer.write(b"HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n\x81\x00")

    upstream = await serve(switch)
    client = make_client(base_uri=f"{upstream.uri}/v1", transport=transport)
    outcome = await client.send(client.prepare_raw("GET", "/things"), timeout=5)
    assert outcome.state is State.UNKNOWN
    assert transport == "httpx" or "not asked for" in outcome.reason  # stock httpx takes it for a broken answer itself
    with pytest.raises(CallFailed):
        await passed_on(client)
