"""Calls without a task: what goes out, comes back, is charged and logged is the same as in the usual way."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from connector.gateway.connection import READ_BUFFER
from connector.gateway.direct_calls import DirectCall
from tests.gateway.conftest import CHAT, KEY, TOKEN

BODY = json.dumps(CHAT).encode()
PLAIN = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nX-Request-Id: req_1\r\nSet-Cookie: a=b\r\n"
WHOLE = PLAIN + b"Content-Length: %d\r\n\r\n%b" % (len(BODY), BODY)
USAGE = b'{"choices":[],"usage":{"prompt_tokens":3,"completion_tokens":2}}'
EVENTS = b'data: {"choices":[]}\n\ndata: %b\n\ndata: [DONE]\n\n' % USAGE
REFUSED = b'{"error":{"message":"no such model","code":"model_not_found"}}'
ANSWERS = {
    "whole": [WHOLE],
    "in pieces": [WHOLE[:40], WHOLE[40:300], WHOLE[300:]],
    "head before body": [WHOLE[: -len(BODY)], BODY],
    "chunked": [PLAIN + b"Transfer-Encoding: chunked\r\n\r\n%x\r\n%b\r\n0\r\n\r\n" % (len(BODY), BODY)],
    "a stream": [
        b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n",
        b"%x\r\n%b\r\n0\r\n\r\n" % (len(EVENTS), EVENTS),
    ],
    "large": [PLAIN + b"Content-Length: 100000\r\n\r\n" + b" " * 100_000],
    "empty": [b"HTTP/1.1 204 No Content\r\nX-Request-Id: req_1\r\n\r\n"],
    "two lengths": [PLAIN + b"Content-Length: 5\r\nContent-Length: 6\r\n\r\n12345"],
    "an unknown status": [b"HTTP/1.1 299 Fine\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}"],
    "the client's key": [PLAIN + b"X-Echo: %b\r\nContent-Length: 2\r\n\r\n{}" % KEY.encode()],
    "named for one connection": [PLAIN + b"Connection: keep-alive, x-a\r\nX-A: 1\r\nContent-Length: 2\r\n\r\n{}"],
    "refused": [b"HTTP/1.1 404 Not Found\r\nContent-Length: %d\r\n\r\n%b" % (len(REFUSED), REFUSED)],
    "not our key": [b"HTTP/1.1 401 Unauthorized\r\nContent-Length: 2\r\n\r\n{}"],
    "a redirect": [b"HTTP/1.1 302 Found\r\nLocation: http://other.example/\r\nContent-Length: 0\r\n\r\n"],
    "no HTTP": [b"SSH-2.0-OpenSSH\r\n\r\n"],
    "nothing": [b""],
    "broken off": [WHOLE[:-10], b""],
    "early hints": [b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n", WHOLE],
}


class RawUpstream:
    """Answers one chat on each connection in a plain way, so that the connection is kept, and then as it is told."""

    def __init__(self) -> None:
        self.url = ""
        self.requests: list[bytes] = []
        self.answer: list[bytes] | None = None
        self.asked = asyncio.Event()
        self.left = asyncio.Event()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                length = int(head.lower().partition(b"\r\ncontent-length: ")[2].partition(b"\r\n")[0])
                self.requests.append(head + await reader.readexactly(length))
                self.asked.set()
                await self._answer(writer)
                if writer.is_closing():
                    return
        except (asyncio.IncompleteReadError, ConnectionError):
            self.left.set()
        finally:
            writer.close()

    async def _answer(self, writer: asyncio.StreamWriter) -> None:
        for piece in [WHOLE] if self.answer is None else self.answer:
            if not piece:
                writer.close()
                return
            writer.write(piece)
            await writer.drain()
            await asyncio.sleep(0)  # so that pieces come one by one; nothing depends on it


@pytest.fixture
async def raw_upstream() -> AsyncIterator[RawUpstream]:
    found = RawUpstream()
    async with await asyncio.start_server(found.serve, "127.0.0.1", 0) as server:
        found.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        yield found


@pytest.fixture
def begun(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """How each direct call went on."""
    found: list[str] = []
    for name in ("finish", "hand_over", "abandon"):
        usual = getattr(DirectCall, name)

        def noted(self, *given, name=name, usual=usual):
            found.append(name)
            return usual(self, *given)

        monkeypatch.setattr(DirectCall, name, noted)
    return found


def request(port: int, text: str = "hi", more: str = "") -> bytes:
    body = json.dumps({"model": "gpt-5", "messages": [{"role": "user", "content": text}]}).encode()
    head = (
        f"POST /openai/v1/chat/completions HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nAuthorization: Bearer {TOKEN}\r\n"
        f"Content-Type: application/json\r\nX-Client-Request-Id: c1\r\n{more}Content-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


async def read_answer(reader: asyncio.StreamReader) -> bytes:
    """One answer with a length, or all that comes until the end."""
    async with asyncio.timeout(30):
        try:
            head = await reader.readuntil(b"\r\n\r\n")
        except asyncio.IncompleteReadError as ended:
            return ended.partial
        lower = head.lower()
        if b"\r\ncontent-length: " in lower:
            length = int(lower.partition(b"\r\ncontent-length: ")[2].partition(b"\r\n")[0])
            try:
                return head + await reader.readexactly(length)
            except asyncio.IncompleteReadError as ended:
                return head + ended.partial
        if b"transfer-encoding: chunked" in lower:
            try:
                return head + await reader.readuntil(b"0\r\n\r\n")
            except asyncio.IncompleteReadError as ended:
                return head + ended.partial
        return head


@asynccontextmanager
async def warm(gateway) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    """A connection whose first call has left an open connection to upstream."""
    reader, writer = await asyncio.open_connection("127.0.0.1", gateway.port)
    try:
        writer.write(request(gateway.port))
        assert (await read_answer(reader)).startswith(b"HTTP/1.1 200")
        yield reader, writer
    finally:
        writer.close()


def lines_of(answer: bytes) -> list[bytes]:
    """The lines of an answer but for the date of one that the gateway made."""
    return sorted(line for line in answer.split(b"\r\n") if not line.startswith(b"Date:"))


async def ended(gateway) -> None:
    never = asyncio.get_running_loop().create_future()
    async with asyncio.timeout(30):
        while gateway.listening.gateway.in_flight:
            await asyncio.wait({never}, timeout=0.005)


def logged(caplog: pytest.LogCaptureFixture) -> list[tuple]:
    fields = ("token", "client", "operation", "state", "status", "request_id")
    return [
        (entry.getMessage(), *(getattr(entry, name) for name in fields))
        for entry in caplog.records
        if getattr(entry, "event", "") == "gateway.call"
    ]


@pytest.fixture
def gateway_of(start, raw_upstream):
    async def started(**options):
        budget = {"budget": {"amount": 100.0, "every": "day"}, "requests_per_minute": 100, "tokens_per_minute": 10**6}
        prices = {"gpt-5*": {"input": 1.0, "output": 2.0}}
        parameters = {"base_uri": f"{raw_upstream.url}/v1", **options.pop("parameters", {})}
        return await start({**budget, **options.pop("token", {})}, parameters=parameters, prices=prices, **options)

    return started


@pytest.mark.parametrize("kind", ANSWERS)
async def test_an_answer_is_the_same_as_in_the_usual_way(kind, gateway_of, raw_upstream, begun, caplog) -> None:
    caplog.set_level(logging.INFO, logger="connector.gateway")
    gateway = await gateway_of()
    quota = gateway.listening.gateway.callers.find("bot").quota
    found = []
    for is_direct in (False, True):
        direct, gateway.listening.server.begin_direct = gateway.listening.server.begin_direct, None
        async with warm(gateway) as (reader, writer):
            if is_direct:
                gateway.listening.server.begin_direct = direct
            raw_upstream.answer = ANSWERS[kind]
            caplog.clear()
            begun.clear()
            before = quota.spending.tokens, quota.spending.amount
            writer.write(request(gateway.port, "hello"))
            answer = await read_answer(reader)
            await ended(gateway)
            charged = quota.spending.tokens - before[0], round(quota.spending.amount - before[1], 9)
            held = quota.spending.held_tokens, quota.spending.held_amount
            found.append(
                (
                    lines_of(answer),
                    raw_upstream.requests[-1].count(b"hello"),
                    logged(caplog),
                    charged,
                    held,
                )
            )
            assert bool(begun) == is_direct
        gateway.listening.server.begin_direct = direct
        raw_upstream.answer = None
        gateway.listening.gateway._clients["openai"].resume()
    assert found[0] == found[1]
    usual, direct = (
        sorted(each.lower().split(b"\r\n")) for each in (raw_upstream.requests[1], raw_upstream.requests[3])
    )
    assert usual == direct
    assert KEY.encode() not in b"".join(found[1][0])


async def test_plain_calls_begin_and_end_directly(gateway_of, raw_upstream, begun) -> None:
    gateway = await gateway_of()
    async with warm(gateway) as (reader, writer):
        for text in ("a", "a longer one", "a"):
            writer.write(request(gateway.port, text))
            answer = await read_answer(reader)
            assert answer.endswith(BODY)
            assert b"set-cookie" not in answer.lower()
    assert begun == ["finish"] * 3
    assert len(raw_upstream.requests) == 4
    assert f"uthorization: Bearer {KEY}".encode() in raw_upstream.requests[-1]
    assert TOKEN.encode() not in raw_upstream.requests[-1]


async def test_a_limit_holds_for_direct_calls(gateway_of, begun) -> None:
    gateway = await gateway_of(token={"requests_per_minute": 3})
    async with warm(gateway) as (reader, writer):
        answers = []
        for _ in range(3):
            writer.write(request(gateway.port))
            answers.append(int((await read_answer(reader))[9:12]))
    assert answers == [200, 200, 429]
    assert begun == ["finish"] * 2


async def test_a_budget_holds_for_direct_calls(gateway_of, begun) -> None:
    gateway = await gateway_of(token={"budget": {"tokens": 2000, "every": "day"}, "unbounded_cost": True})
    async with warm(gateway) as (reader, writer):
        answers = []
        for _ in range(3):
            writer.write(request(gateway.port))
            answers.append(int((await read_answer(reader))[9:12]))
    assert answers[-1] == 429
    assert gateway.listening.gateway.callers.find("bot").quota.spending.held_tokens == 0


async def test_requests_that_come_together_are_answered_one_after_the_other(gateway_of, raw_upstream, begun) -> None:
    gateway = await gateway_of()
    async with warm(gateway) as (reader, writer):
        writer.write(request(gateway.port, "first"))
        await raw_upstream.asked.wait()
        writer.write(request(gateway.port, "second") + request(gateway.port, "third")[:50])
        writer.write(request(gateway.port, "third")[50:])
        for _ in range(3):
            assert (await read_answer(reader)).endswith(BODY)
    texts = [each.rpartition(b'"content": "')[2].partition(b'"')[0] for each in raw_upstream.requests]
    assert texts == [b"hi", b"first", b"second", b"third"]


async def test_much_that_comes_at_once_stays_in_the_network(gateway_of, raw_upstream, begun) -> None:
    gateway = await gateway_of()
    raw_upstream.answer = None
    async with warm(gateway) as (reader, writer):
        many = request(gateway.port, "x" * 1000)
        number = 2 * READ_BUFFER // len(many)
        writer.write(request(gateway.port, "first"))
        writer.write(many * number)
        for _ in range(number + 1):
            answer = await read_answer(reader)
            assert answer.startswith((b"HTTP/1.1 200", b"HTTP/1.1 429"))


async def test_the_rest_of_a_head_is_no_request_of_its_own(gateway_of, raw_upstream, begun) -> None:
    """A head that ends later than it seems: what would be a request alone is a part of another one."""
    gateway = await gateway_of()
    async with warm(gateway) as (reader, writer):
        opened = b"POST /openai/v1/chat/completions HTTP/1.1\r\nX-Begun: 1\r\n"
        writer.write(request(gateway.port, "one") + opened)
        assert (await read_answer(reader)).endswith(BODY)
        writer.write(request(gateway.port, "two"))
        answer = await read_answer(reader)
    assert answer[9:12] == b"400"
    assert not any(b"two" in each for each in raw_upstream.requests)


@pytest.mark.parametrize(
    "more", ["Content-Length: 3\r\n", "Transfer-Encoding: chunked\r\n", "Authorization: Bearer other\r\n"]
)
async def test_a_head_that_can_be_read_in_two_ways_is_refused(more, gateway_of, raw_upstream, begun) -> None:
    gateway = await gateway_of()
    async with warm(gateway) as (reader, writer):
        writer.write(request(gateway.port, "two ways", more))
        assert (await read_answer(reader))[9:12] == b"400"
    assert not begun
    assert len(raw_upstream.requests) == 1


async def test_a_caller_who_leaves_ends_the_call_upstream(gateway_of, raw_upstream, begun, caplog) -> None:
    caplog.set_level(logging.INFO, logger="connector.gateway")
    gateway = await gateway_of()
    async with warm(gateway) as (_, writer):
        raw_upstream.asked.clear()
        raw_upstream.answer = [PLAIN]
        writer.write(request(gateway.port, "bye"))
        await raw_upstream.asked.wait()
        assert gateway.listening.gateway.in_flight == 1
    async with asyncio.timeout(30):
        await raw_upstream.left.wait()
    await ended(gateway)
    assert begun[-1] == "abandon"
    assert logged(caplog)[-1][5] == 499
    assert gateway.listening.gateway.callers.find("bot").quota.spending.held_tokens == 0


async def test_an_upstream_that_is_silent_runs_out_of_time(gateway_of, raw_upstream, begun) -> None:
    gateway = await gateway_of(parameters={"timeouts": {"read": 0.3, "total": 5}})
    async with warm(gateway) as (reader, writer):
        raw_upstream.answer = [PLAIN]
        writer.write(request(gateway.port))
        assert (await read_answer(reader))[9:12] == b"504"
    assert begun == ["hand_over"]


async def test_a_call_may_take_no_longer_than_all_of_its_time(gateway_of, raw_upstream, begun) -> None:
    gateway = await gateway_of(parameters={"timeouts": {"read": 5, "total": 0.3}})
    async with warm(gateway) as (reader, writer):
        raw_upstream.answer = [PLAIN]
        writer.write(request(gateway.port))
        assert (await read_answer(reader))[9:12] == b"504"
    assert begun == ["hand_over"]


async def test_draining_waits_for_a_direct_call(gateway_of, raw_upstream, begun) -> None:
    gateway = await gateway_of()
    async with warm(gateway) as (reader, writer):
        raw_upstream.asked.clear()
        writer.write(request(gateway.port))
        await raw_upstream.asked.wait()
        draining = asyncio.create_task(gateway.listening.drain(30))
        assert (await read_answer(reader)).endswith(BODY)
        assert await draining == 0
        writer.write(request(gateway.port))
        assert (await read_answer(reader))[9:12] == b"503"
    assert begun == ["finish"]
