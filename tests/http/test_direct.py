"""A request that is written at once, past aiohttp's session: what goes out, and which answer is taken."""

from __future__ import annotations

import asyncio

import pytest
from yarl import URL

from connector.http.transports.aiohttp_transport import AiohttpTransport

TIMEOUTS = {"connect": 5.0, "read": 5.0}


class Heard(list[bytes]):
    """What a server was sent."""

    def __init__(self) -> None:
        super().__init__()
        self.some = asyncio.Event()

    def append(self, head: bytes) -> None:
        super().append(head)
        self.some.set()


@pytest.fixture
async def upstream():
    """A server whose answers are given as bytes, and which keeps what it was sent."""
    heard = Heard()
    answers: list[bytes] = []

    async def answer(reader, writer):
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                heard.append(head)
                writer.write(answers.pop(0))
        except asyncio.IncompleteReadError:
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    try:
        yield URL(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1/models?limit=2"), heard, answers
    finally:
        server.close()


@pytest.fixture
async def transport():
    one = AiohttpTransport()
    try:
        yield one
    finally:
        await one.aclose()


async def test_the_request_names_its_host_and_nothing_is_added(transport, upstream):
    url, heard, answers = upstream
    answers.append(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n")

    answer = await transport.exchange("GET", url, [("X-One", "1")], None, TIMEOUTS)
    await answer.aclose()

    assert heard == [f"GET /v1/models?limit=2 HTTP/1.1\r\nX-One: 1\r\nHost: {url.authority}\r\n\r\n".encode()]


async def test_the_answer_to_head_has_no_body_and_frees_the_connection(transport, upstream):
    url, heard, answers = upstream
    answers += [b"HTTP/1.1 200 OK\r\ncontent-length: 99\r\n\r\n"] * 2

    for _ in range(2):
        answer = await transport.exchange("HEAD", url, [], None, TIMEOUTS)
        assert answer.take_whole() == b""
        await answer.aclose()

    assert len(heard) == 2
    assert len(transport.used) == 1


async def test_answers_before_the_answer_are_passed_over(transport, upstream):
    url, _, answers = upstream
    answers.append(
        b"HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\nHTTP/1.1 200 OK\r\nx-one: 1\r\ncontent-length: 2\r\n\r\nok"
    )

    answer = await transport.exchange("GET", url, [], None, TIMEOUTS)

    assert (answer.status, [chunk async for chunk in answer]) == (200, [b"ok"])
    assert (b"x-one", b"1") in answer.headers
    await answer.aclose()


async def test_a_body_that_has_not_come_is_not_there_at_once(transport, upstream):
    url, _, answers = upstream
    answers.append(b"HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nhalf"[:-2])

    answer = await transport.exchange("GET", url, [], None, TIMEOUTS)

    assert answer.take_whole() is None
    await answer.aclose()
    assert transport.in_flight == 0


async def test_a_header_cannot_hold_another_one(transport, upstream):
    url, heard, answers = upstream
    with pytest.raises(ValueError, match="control character"):
        await transport.exchange("GET", url, [("X-One", "1\r\nX-Two: 2")], None, TIMEOUTS)
    answers.append(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n")

    answer = await transport.exchange("GET", url, [], None, TIMEOUTS)
    await answer.aclose()

    assert len(heard) == 1
    assert transport.in_flight == 0


async def test_who_stops_waiting_takes_the_connection_along(transport, upstream):
    url, heard, answers = upstream
    answers += [b"", b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n"]
    waiting = asyncio.create_task(transport.exchange("GET", url, [], None, TIMEOUTS))
    await heard.some.wait()
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting

    answer = await transport.exchange("GET", url, [], None, TIMEOUTS)
    await answer.aclose()

    assert (answer.status, len(heard), transport.in_flight) == (200, 2, 0)
