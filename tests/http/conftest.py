"""A loopback server whose every byte is scripted by the test."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest

CERTIFICATES = Path(__file__).parent / "certificates"

Script = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@dataclass
class Upstream:
    """A server on loopback, the connections it saw and the request heads it read."""

    port: int = 0
    scheme: str = "http"
    connections: int = 0
    heads: list[bytes] = field(default_factory=list)
    bodies: list[bytes] = field(default_factory=list)

    @property
    def uri(self) -> str:
        return f"{self.scheme}://127.0.0.1:{self.port}"

    async def read_request(self, reader: asyncio.StreamReader) -> bytes:
        """The head of the next request; its body is read when its length is known."""
        head = await reader.readuntil(b"\r\n\r\n")
        self.heads.append(head)
        for line in head.lower().split(b"\r\n"):
            if line.startswith(b"content-length:"):
                self.bodies.append(await reader.readexactly(int(line.partition(b":")[2])))
        return head


def answer(body: bytes = b"{}", *, status: str = "200 OK", headers: str = "content-type: application/json") -> bytes:
    """A complete answer as it stands on the wire."""
    return f"HTTP/1.1 {status}\r\n{headers}\r\ncontent-length: {len(body)}\r\n\r\n".encode() + body


@pytest.fixture
async def serve() -> AsyncIterator[Callable[..., Awaitable[Upstream]]]:
    """Starts a server that runs the script on every connection; all are stopped after the test."""
    servers: list[asyncio.Server] = []
    running: set[asyncio.Task[None]] = set()

    async def start(script: Callable[..., Awaitable[None]], *, certificate: str | None = None) -> Upstream:
        upstream = Upstream()

        async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            task = asyncio.current_task()
            assert task is not None
            running.add(task)
            upstream.connections += 1
            try:
                await script(upstream, reader, writer)
            except (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
                pass
            finally:
                running.discard(task)
                writer.transport.abort() if writer.transport.is_closing() else writer.close()

        context = None
        if certificate is not None:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(CERTIFICATES / f"{certificate}.pem")
            upstream.scheme = "https"
        server = await asyncio.start_server(connected, "127.0.0.1", 0, ssl=context)
        servers.append(server)
        upstream.port = server.sockets[0].getsockname()[1]
        return upstream

    yield start
    for server in servers:
        server.close()
    for task in list(running):
        task.cancel()
    await asyncio.gather(*running, return_exceptions=True)
