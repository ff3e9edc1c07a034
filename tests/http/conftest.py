"""A loopback server whose every byte is scripted by the test, and clients whose time stands still."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest

from connector.http import Client
from connector.model import Effect
from connector.request.wire import BytesBody, Wire
from connector.timing import Timing
from tests.platform_stand_in import Platform

CERTIFICATES = Path(__file__).parent / "certificates"
TOKEN = "sk-canary-1234567890"


@dataclass
class Upstream:
    """A server on loopback: the connections it saw, the heads and the bodies it read."""

    port: int = 0
    scheme: str = "http"
    connections: int = 0
    heads: list[bytes] = field(default_factory=list)
    bodies: list[bytes] = field(default_factory=list)
    seen: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def uri(self) -> str:
        return f"{self.scheme}://127.0.0.1:{self.port}"

    async def read_request(self, reader: asyncio.StreamReader) -> bytes:
        """The head of the next request; its body is read when its length is known."""
        head = await reader.readuntil(b"\r\n\r\n")
        self.heads.append(head)
        self.seen.set()
        for line in head.lower().split(b"\r\n"):
            if line.startswith(b"content-length:"):
                self.bodies.append(await reader.readexactly(int(line.partition(b":")[2])))
        return head


@pytest.fixture
def certificates() -> Path:
    return CERTIFICATES


@pytest.fixture
async def serve() -> AsyncIterator[Callable[..., Awaitable[Upstream]]]:
    """Starts a server that runs a script on every connection; all are stopped after the test."""
    servers: list[asyncio.Server] = []
    running: set[asyncio.Task[Any]] = set()

    async def start(script: Callable[..., Awaitable[None]], *, certificate: str | None = None) -> Upstream:
        upstream = Upstream()

        async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            task = asyncio.current_task()
            assert task is not None
            running.add(task)
            upstream.connections += 1
            try:
                with suppress(ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
                    await script(upstream, reader, writer)
            finally:
                running.discard(task)
                writer.close()

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


@dataclass
class Clock:
    """Time that passes only while somebody waits; what was waited is kept."""

    now: float = 1000.0
    waits: list[float] = field(default_factory=list)

    async def sleep(self, seconds: float) -> None:
        self.waits.append(seconds)
        until = self.now + seconds
        await asyncio.sleep(0)
        self.now = max(self.now, until)

    @property
    def timing(self) -> Timing:
        return Timing(clock=lambda: self.now, sleep=self.sleep, chance=lambda: 0.0)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def make_client(clock: Clock) -> AsyncIterator[Callable[..., Client]]:
    """Makes a client of a handler, or of nothing for the network; its waits take no time, its environment is empty."""
    async with AsyncExitStack() as stack:

        def make(handler: Any = None, prototype: str = "openai", **options: Any) -> Client:
            if handler is not None:
                options.setdefault("transport", httpx.MockTransport(handler))
            if prototype == "openai":
                options.setdefault("token", TOKEN)
            options.setdefault("environ", {})
            client = Client(prototype, timing=clock.timing, **options)
            stack.push_async_callback(client.close)
            return client

        yield make


@pytest.fixture
def wire() -> Callable[..., Wire]:
    """Makes a wire: by default a POST that costs money and gives JSON."""

    def make(effect: str = "opaque", **options: Any) -> Wire:
        options.setdefault("method", {"none": "GET", "idempotent": "DELETE"}.get(effect, "POST"))
        options.setdefault("path", "/things")
        if options["method"] == "POST":
            options.setdefault("body", BytesBody("application/json", b'{"a":1}'))
        return Wire(effect=Effect(effect), **options)

    return make


class Answers:
    """A handler that gives its answers one after the other, and keeps the requests."""

    def __init__(self, *answers: httpx.Response | Exception) -> None:
        self.left = list(answers)
        self.requests: list[httpx.Request] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        answer = self.left.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer


@pytest.fixture
def answers() -> type[Answers]:
    return Answers


@pytest.fixture
async def platform() -> AsyncIterator[Platform]:
    """A stand-in for a cloud's metadata service, the exchange of tokens and the API."""
    started = Platform()
    runner = await started.start()
    yield started
    started.gate.set()
    await runner.cleanup()
