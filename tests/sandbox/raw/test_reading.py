"""Callers who never read: the sandbox lets go of them."""

from __future__ import annotations

import asyncio
import socket
from contextlib import suppress

import pytest

from connector.sandbox import Sandbox
from connector.sandbox.http.server import HttpServer

READ_TIMEOUT = 0.3
REQUESTS = {
    "answers": b"GET /v1/models HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer sk-any\r\n\r\n",
    "refusals": b"GET /nothing HTTP/1.1\r\nHost: localhost\r\n\r\n",
    "the log of requests": b"GET /sandbox/requests HTTP/1.1\r\nHost: localhost\r\n\r\n",
}


async def flood(port: int, request: bytes) -> None:
    """Send a request again and again without reading, until the sandbox has enough of it."""
    loop = asyncio.get_running_loop()
    with socket.socket() as unread:
        unread.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        unread.setblocking(False)
        await loop.sock_connect(unread, ("127.0.0.1", port))
        with suppress(ConnectionError):
            while True:
                await loop.sock_sendall(unread, request * 100)


@pytest.mark.parametrize("kind", REQUESTS)
async def test_a_caller_who_never_reads_is_left(catalogue, kind):
    server = HttpServer(Sandbox(catalogue=catalogue)._app, 0, read_timeout=READ_TIMEOUT)
    port = await server.start()
    try:
        async with asyncio.timeout(60):
            await asyncio.gather(*(flood(port, REQUESTS[kind]) for _ in range(2)))
    finally:
        await server.stop()
