"""Whole calls over loopback: what a client says when the network misbehaves."""

from __future__ import annotations

import asyncio
import gzip
import socket
import struct

import pytest

from connector.errors import ConfigurationError
from connector.http import Client
from connector.model import CallFailed, State

ENGINES = pytest.mark.parametrize("engine", ["aiohttp", "httpx"])


def reply(body: bytes = b"{}", status: str = "200 OK", headers: str = "content-type: application/json") -> bytes:
    return f"HTTP/1.1 {status}\r\n{headers}\r\ncontent-length: {len(body)}\r\n\r\n".encode() + body


def always(*parts: bytes, pause: float = 0.0, reset: bool = False):
    """A script that reads a request and writes the parts, again and again."""

    async def script(up, reader, writer):
        while True:
            await up.read_request(reader)
            for part in parts:
                writer.write(part)
                await writer.drain()
                await asyncio.sleep(pause)
            if reset:
                writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                writer.transport.abort()
                return

    return script


@ENGINES
async def test_a_call_goes_through(make_client, wire, serve, engine):
    up = await serve(always(reply(b'{"id":"x"}')))
    client = make_client(base_uri=f"{up.uri}/v1", transport=engine)
    for _ in range(3):
        outcome = await client.send(wire(path="/a%2Fb:c", query=(("ids[]", "1"), ("q", "ü &"))))
        assert (outcome.state, outcome.body) == (State.DONE, {"id": "x"})
    assert up.connections == 1
    assert up.heads[0].startswith(b"POST /v1/a%2Fb:c?ids%5B%5D=1&q=%C3%BC%20%26 HTTP/1.1\r\n")
    assert b"\r\nauthorization: bearer sk-canary" in up.heads[0].lower()
    assert up.bodies == [b'{"a":1}'] * 3


@ENGINES
async def test_a_refused_connection_is_not_sent(make_client, wire, engine):
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        client = make_client(base_uri=f"http://127.0.0.1:{closed.getsockname()[1]}", transport=engine)
        outcome = await client.send(wire())
    assert (outcome.state, len(outcome.attempts)) == (State.NOT_SENT, 3)


@ENGINES
@pytest.mark.parametrize("certificate", ["stranger", "expired", "misnamed"])
async def test_a_bad_certificate_ends_the_call_at_once(make_client, wire, serve, certificates, engine, certificate):
    up = await serve(always(reply()), certificate=certificate)
    client = make_client(base_uri=up.uri, ca_bundle=str(certificates / "ca.pem"), transport=engine)
    outcome = await client.send(wire())
    assert (outcome.state, len(outcome.attempts), up.heads) == (State.NOT_SENT, 1, [])
    assert "certificate" in outcome.reason.lower()


@ENGINES
async def test_a_good_certificate_lets_the_call_through(make_client, wire, serve, certificates, engine):
    up = await serve(always(reply()), certificate="good")
    client = make_client(base_uri=up.uri, ca_bundle=str(certificates / "ca.pem"), transport=engine)
    assert (await client.send(wire())).ok


@ENGINES
@pytest.mark.parametrize("reset", [False, True], ids=["fin", "rst"])
@pytest.mark.parametrize(("effect", "tries"), [("none", 3), ("idempotent", 3), ("reconcilable", 1), ("opaque", 1)])
async def test_a_hang_up_after_the_request_is_unknown(make_client, wire, serve, engine, reset, effect, tries):
    async def script(up, reader, writer):
        await up.read_request(reader)
        if reset:
            writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            writer.transport.abort()

    up = await serve(script)
    outcome = await make_client(base_uri=up.uri, transport=engine).send(wire(effect))
    assert (outcome.state, len(outcome.attempts), len(up.heads)) == (State.UNKNOWN, tries, tries)


@ENGINES
@pytest.mark.parametrize(
    "partial",
    [
        b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\n{",
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\n{}\r\n",
        b"HTTP/1.1 200",
    ],
)
async def test_an_answer_cut_short_is_unknown(make_client, wire, serve, engine, partial):
    up = await serve(always(partial, reset=True, pause=0.01))
    outcome = await make_client(base_uri=up.uri, transport=engine).send(wire())
    assert (outcome.state, len(up.heads)) == (State.UNKNOWN, 1)


@ENGINES
async def test_something_that_is_not_http_is_unknown(make_client, wire, serve, engine):
    up = await serve(always(b"SSH-2.0-OpenSSH_9.2\r\n\r\n"))
    outcome = await make_client(base_uri=up.uri, transport=engine).send(wire())
    assert outcome.state is State.UNKNOWN


@ENGINES
async def test_silence_is_unknown_after_the_idle_time(make_client, wire, serve, engine):
    async def script(up, reader, writer):
        await up.read_request(reader)
        await reader.read()

    up = await serve(script)
    outcome = await make_client(base_uri=up.uri, transport=engine, timeouts={"read": 0.05}).send(wire())
    assert outcome.state is State.UNKNOWN


@ENGINES
async def test_slow_dripping_ends_with_the_total_time(make_client, wire, serve, engine):
    up = await serve(always(b"HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n", *[b" "] * 1000, pause=0.01))
    outcome = await make_client(base_uri=up.uri, transport=engine, timeouts={"read": 5}).send(wire(), timeout=0.1)
    assert (outcome.state, outcome.reason.split(";")[0]) == (State.UNKNOWN, "no complete answer within 0.1 seconds")


async def test_time_that_runs_out_before_a_connection_is_there_is_not_sent(make_client, wire, serve, certificates):
    async def script(up, reader, writer):
        await reader.read()

    up = await serve(script)
    client = make_client(base_uri=up.uri.replace("http", "https"), ca_bundle=str(certificates / "ca.pem"))
    outcome = await client.send(wire(), timeout=0.05, retries=0)
    assert (outcome.state, outcome.reason) == (State.NOT_SENT, "no connection within 0.05 seconds")


async def test_a_handshake_that_takes_too_long_is_not_sent(make_client, wire, serve, certificates):
    async def script(up, reader, writer):
        await reader.read()

    up = await serve(script)
    client = make_client(
        base_uri=up.uri.replace("http", "https"), ca_bundle=str(certificates / "ca.pem"), timeouts={"connect": 0.05}
    )
    outcome = await client.send(wire(), retries=0)
    assert outcome.state is State.NOT_SENT
    assert "in time" in outcome.reason


@ENGINES
async def test_an_endless_answer_is_stopped(make_client, wire, serve, engine):
    async def script(up, reader, writer):
        await up.read_request(reader)
        writer.write(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n")
        while True:
            writer.write(b"10000\r\n" + bytes(0x10000) + b"\r\n")
            await writer.drain()

    up = await serve(script)
    outcome = await make_client(base_uri=up.uri, transport=engine, max_answer_bytes=1_000_000).send(wire())
    assert outcome.state is State.UNKNOWN
    assert "max_answer_bytes" in outcome.reason


@ENGINES
async def test_endless_headers_are_stopped(make_client, wire, serve, engine):
    async def script(up, reader, writer):
        await up.read_request(reader)
        writer.write(b"HTTP/1.1 200 OK\r\n")
        while True:
            writer.write(b"x: " + b"y" * 1000 + b"\r\n")
            await writer.drain()

    up = await serve(script)
    assert (await make_client(base_uri=up.uri, transport=engine).send(wire())).state is State.UNKNOWN


@ENGINES
async def test_compressed_answers_are_unpacked_once(make_client, wire, serve, engine):
    up = await serve(always(reply(gzip.compress(b'{"a":1}'), headers="content-encoding: gzip")))
    assert (await make_client(base_uri=up.uri, transport=engine).send(wire())).body == {"a": 1}


@ENGINES
@pytest.mark.parametrize("status", ["301 Moved", "302 Found", "307 Temporary", "308 Permanent"])
async def test_credentials_never_follow_a_redirect(make_client, wire, serve, engine, status):
    elsewhere = await serve(always(reply()))
    up = await serve(always(reply(b"", status, headers=f"location: {elsewhere.uri}/taken")))
    outcome = await make_client(base_uri=up.uri, transport=engine).send(wire("none"))
    assert (outcome.state, elsewhere.connections) == (State.REFUSED, 0)
    assert "redirects to 127.0.0.1" in outcome.reason


@ENGINES
async def test_a_stream_over_the_network(make_client, wire, serve, engine):
    head = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"
    up = await serve(always(head, b"c\r\ndata: {}\r\n\r\n\r\n", b"e\r\ndata: [DONE]\n\n\r\n", b"0\r\n\r\n"))
    client = make_client(base_uri=up.uri, transport=engine)
    for _ in range(2):
        assert [datum async for datum in client.stream(wire())] == [{}]
    assert up.connections == 1


async def test_a_stream_that_falls_silent_is_unknown(make_client, wire, serve):
    head = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\n"

    async def script(up, reader, writer):
        await up.read_request(reader)
        writer.write(head + b"data: {}\n\n")
        await reader.read()

    up = await serve(script)
    stream = make_client(base_uri=up.uri).stream(wire(), timeout=0.1)
    assert await anext(stream) == {}
    with pytest.raises(CallFailed) as caught:
        await anext(stream)
    assert caught.value.outcome.state is State.UNKNOWN
    assert "within 0.1 seconds" in caught.value.outcome.reason


async def test_a_cancelled_call_leaves_nothing_behind(make_client, wire, serve):
    async def script(up, reader, writer):
        await up.read_request(reader)
        if len(up.heads) == 1:
            await reader.read()
        writer.write(reply())

    up = await serve(script)
    client = make_client(base_uri=up.uri, limits={"concurrency": 1})
    task = asyncio.create_task(client.send(wire()))
    await up.seen.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert (await client.send(wire())).ok


async def test_hundreds_of_calls_share_few_connections(make_client, wire, serve):
    up = await serve(always(reply(b'{"id":"x"}')))
    client = make_client(base_uri=up.uri, limits={"concurrency": 8})
    outcomes = await asyncio.gather(*(client.send(wire()) for _ in range(300)))
    assert all(outcome.ok for outcome in outcomes)
    assert up.connections <= 8


@ENGINES
async def test_a_name_that_leads_to_a_metadata_address_is_refused(make_client, wire, monkeypatch, engine):
    async def lead(self, host, port, **options):
        return [(2, 1, 6, "", ("169.254.169.254", port or 80))]

    monkeypatch.setattr(asyncio.BaseEventLoop, "getaddrinfo", lead)
    client = make_client(base_uri="https://innocent.example", transport=engine)
    with pytest.raises(ConfigurationError, match=r"leads to 169\.254\.169\.254"):
        await client.send(wire())


async def test_environment_proxies_are_ignored(make_client, wire, serve, monkeypatch):
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    up = await serve(always(reply()))
    for engine in ("aiohttp", "httpx"):
        assert (await make_client(base_uri=up.uri, transport=engine).send(wire())).ok


@ENGINES
async def test_a_configured_proxy_is_used(make_client, wire, serve, engine):
    proxy = await serve(always(reply(b'{"by":"proxy"}')))
    client = make_client(
        base_uri="http://localhost:9/v1", proxy=proxy.uri.replace("//", "//user:canary-password@"), transport=engine
    )
    outcome = await client.send(wire())
    assert outcome.body == {"by": "proxy"}
    assert proxy.heads[0].startswith(b"POST http://localhost:9/v1/things HTTP/1.1")
    assert b"proxy-authorization: basic" in proxy.heads[0].lower()
    assert "canary" not in repr(client)


@ENGINES
async def test_a_proxy_that_gives_no_tunnel_is_not_sent(make_client, wire, serve, engine):
    proxy = await serve(always(reply(b"", "407 Proxy Authentication Required")))
    client = make_client(base_uri="https://localhost:9/v1", proxy=proxy.uri, transport=engine)
    outcome = await client.send(wire(), retries=0)
    assert outcome.state is State.NOT_SENT
    assert b"sk-canary" not in b"".join(proxy.heads)


async def test_closing_twice_and_unused_is_fine():
    client = Client("openai", token="sk-x", environ={})
    await client.close()
    await client.close()
