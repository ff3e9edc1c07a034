"""A body may come at any moment after its head: it is never taken for one."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from aiohttp import web

from connector.gateway.connection import ConnectionServer, Timeouts

HEAD = b"POST /x HTTP/1.1\r\nHost: localhost\r\nContent-Length: 200000\r\n\r\n"


class Transport(asyncio.Transport):
    """A connection that keeps what is written to it."""

    def __init__(self) -> None:
        super().__init__({"peername": ("127.0.0.1", 1)})
        self.written = b""
        self.closed = False
        self.answered = asyncio.Event()

    def write(self, data: Any) -> None:
        self.written += bytes(data)
        self.answered.set()

    def writelines(self, list_of_data: Any) -> None:
        self.write(b"".join(list_of_data))

    def is_closing(self) -> bool:
        return self.closed

    def close(self) -> None:
        self.closed = True

    abort = close

    def get_write_buffer_size(self) -> int:
        return 0

    def pause_reading(self) -> None:
        """There is no end to what a test may feed."""

    resume_reading = pause_reading


@pytest.mark.parametrize("turns", range(6))
async def test_a_body_that_follows_its_head_by_some_turns_of_the_loop(turns):
    async def whole(request: web.BaseRequest) -> web.StreamResponse:
        return web.Response(text=str(len(await request.read())))

    server = ConnectionServer(whole, connections=10, per_address=10, timeouts=Timeouts())
    connection, transport = server.connect("127.0.0.1", lambda: None), Transport()
    connection.connection_made(transport)
    await asyncio.sleep(0)
    connection.data_received(HEAD)
    for _ in range(turns):
        await asyncio.sleep(0)
    connection.data_received(b"x" * 100_000)
    connection.data_received(b"x" * 100_000)
    async with asyncio.timeout(30):
        await transport.answered.wait()
    assert transport.written.startswith(b"HTTP/1.1 200 "), transport.written
    connection.connection_lost(None)
    await server.shutdown(0)
