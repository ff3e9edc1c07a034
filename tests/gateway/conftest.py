"""A gateway on loopback in front of an upstream whose answers the test decides."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest
from aiohttp import web

from connector.catalogue import Catalogue
from connector.config.models.gateway import hash_token
from connector.gateway import Clocks, GatewayServer
from connector.pipeline import Runtime, load_configuration

KEY = "sk-canary-upstream-1234567890"
TOKEN = "gw-support-bot-0987654321"
CHAT = {
    "id": "chatcmpl-1",
    "object": "chat.completion",
    "model": "gpt-5-2026-01-01",
    "choices": [{"index": 0, "message": {"role": "assistant", "content": "hello"}, "finish_reason": "stop"}],
    "usage": {
        "prompt_tokens": 1000, "completion_tokens": 100, "total_tokens": 1100,
        "prompt_tokens_details": {"cached_tokens": 400},
    },
}  # fmt: skip
Handler = Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]


@dataclass
class Seen:
    """A request as upstream saw it."""

    method: str
    target: str
    headers: Any
    body: bytes


@dataclass
class Upstream:
    """A server whose handler can be replaced; by default it answers as chat completions do."""

    url: str = ""
    seen: list[Seen] = field(default_factory=list)
    handler: Handler | None = None
    arrived: asyncio.Event = field(default_factory=asyncio.Event)

    async def __call__(self, request: web.BaseRequest) -> web.StreamResponse:
        if self.handler is not None:
            self.arrived.set()
            return await self.handler(request)
        self.seen.append(Seen(request.method, request.raw_path, request.headers.copy(), await request.read()))
        self.arrived.set()
        return web.json_response(CHAT, headers={"x-request-id": "req_1", "x-ratelimit-remaining-requests": "41"})


@pytest.fixture
async def upstream() -> AsyncIterator[Upstream]:
    found = Upstream()
    server = web.Server(found, access_log=None)
    listener = await asyncio.get_running_loop().create_server(server, "127.0.0.1", 0)
    found.url = f"http://127.0.0.1:{listener.sockets[0].getsockname()[1]}"
    yield found
    listener.close()
    await server.shutdown(0.1)


@dataclass
class Clock:
    """Both clocks, which move when the test says so."""

    seconds: float = 1000.0
    date: float = 1_790_000_000.0

    def move(self, seconds: float) -> None:
        self.seconds += seconds
        self.date += seconds

    @property
    def clocks(self) -> Clocks:
        return Clocks(lambda: self.seconds, lambda: self.date)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@dataclass
class Running:
    """A gateway that takes calls, and somebody who calls it."""

    listening: GatewayServer
    http: httpx.AsyncClient
    folder: Path

    @property
    def url(self) -> str:
        return self.listening.url

    @property
    def port(self) -> int:
        return int(self.url.rpartition(":")[2])

    async def chat(self, token: str = TOKEN, **options: Any) -> httpx.Response:
        headers = {"Authorization": f"Bearer {token}", **options.pop("headers", {})}
        payload = {"model": "gpt-5", "messages": [{"role": "user", "content": "hi"}], **options.pop("payload", {})}
        path = options.pop("path", "/openai/v1/chat/completions")
        return await self.http.post(f"{self.url}{path}", json=payload, headers=headers, **options)

    async def get(self, path: str, token: str | None = TOKEN, **options: Any) -> httpx.Response:
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        return await self.http.get(f"{self.url}{path}", headers={**headers, **options.pop("headers", {})}, **options)

    async def raw(self, data: bytes, *, seconds: float = 20.0) -> bytes:
        """What comes back on a connection of its own until the gateway closes it."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        try:
            writer.write(data)
            async with asyncio.timeout(seconds):
                return await reader.read()
        finally:
            writer.close()


Start = Callable[..., Awaitable[Running]]


@pytest.fixture(scope="session")
def catalogue() -> Catalogue:
    return Catalogue.open(None)


@pytest.fixture
async def start(upstream: Upstream, tmp_path: Path, clock: Clock, catalogue: Catalogue) -> AsyncIterator[Start]:
    """Starts a gateway of a configuration: one client and one token, unless the test says more."""
    async with AsyncExitStack() as stack:

        async def started(
            token: dict[str, Any] | None = None,
            *,
            gateway: dict[str, Any] | None = None,
            parameters: dict[str, Any] | None = None,
            options: dict[str, Any] | None = None,
            **sections: Any,
        ) -> Running:
            openai = {"prototype": "openai", "parameters": {
                "base_uri": f"{upstream.url}/v1", "token": "${UPSTREAM_KEY}", **(parameters or {})}}  # fmt: skip
            tokens = {"bot": {"hash": hash_token(TOKEN), **(token or {})}}
            configuration = {
                "clients": {"openai": openai, **sections.pop("clients", {})},
                "gateway": {"tokens": tokens, **(gateway or {})},
                **sections,
            }
            file = tmp_path / "connector.json"
            file.write_text(json.dumps(configuration))
            loaded = load_configuration(file, {"UPSTREAM_KEY": KEY})
            runtime = await stack.enter_async_context(Runtime(loaded))
            given = {"port": 0, "clocks": clock.clocks, "catalogue": catalogue, **(options or {})}
            listening = await stack.enter_async_context(GatewayServer(runtime, **given))
            http = await stack.enter_async_context(httpx.AsyncClient(trust_env=False, timeout=60))
            return Running(listening, http, tmp_path)

        yield started
