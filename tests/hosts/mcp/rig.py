"""A server of a configuration before a scripted upstream, in this process, with a client that keeps all it hears."""

from __future__ import annotations

import asyncio
import itertools
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from connector.config import parse
from connector.hosts.mcp.open import Opened, open_server
from connector.hosts.mcp.stdio import PipeServer
from connector.pipeline import Runtime, kinds

__all__ = ["CONFIGURATION", "KEY", "Peer", "Upstream", "chat", "pipe"]

KEY = "openai-connector/key"
CHAT = {"prototype": "openai", "parameters": {"client": "openai", "entity": "chat completions"}}
CONFIGURATION: dict[str, Any] = {
    "clients": {
        "openai": {
            "prototype": "openai",
            "parameters": {"token": "sk-canary-0123456789abcdef", "retry": {"max_retries": 0}},
        }
    },
    "outgoing": {
        "greet": {
            "description": "Greets a customer.",
            "chain": [{"chat-prompt": {"model": "gpt-6-luna", "prompt": "Greet &{name}."}}],
            "publisher": CHAT,
            "answer": {"chain": ["answer-text"]},
        }
    },
    "mcp": {"operations": ["models list", "files *", "chat completions create", "responses create"], "attempts": 2},
}


def chat(request: httpx.Request) -> httpx.Response:
    """Says back what was said to it."""
    if request.method == "GET":
        return httpx.Response(200, json={"object": "list", "data": [{"id": "gpt-6-luna"}]})
    said = json.loads(request.content)["messages"][-1]["content"]
    choice = {"index": 0, "message": {"role": "assistant", "content": f"re: {said}"}, "finish_reason": "stop"}
    return httpx.Response(
        200, json={"id": "c-1", "object": "chat.completion", "model": "gpt-6-luna", "choices": [choice]}
    )


@dataclass
class Upstream:
    """Answers by a handler, and remembers what arrived."""

    answer: Callable[[httpx.Request], Any] = chat
    requests: list[httpx.Request] = field(default_factory=list)

    async def __call__(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        await request.aread()
        answered = self.answer(request)
        return await answered if asyncio.iscoroutine(answered) else answered

    @property
    def posts(self) -> int:
        return sum(request.method == "POST" for request in self.requests)


@dataclass
class Peer:
    """A client at the other end of a pipe."""

    server: PipeServer
    upstream: Upstream
    opened: Opened
    heard: list[Any]
    news: asyncio.Event
    ids: Any = field(default_factory=lambda: itertools.count(1))

    async def ask(self, method: str, *, meta: dict[str, Any] | None = None, id: Any = None, **params: Any) -> Any:  # noqa: A002
        """The answer of a request, whole."""
        number = self.begin(method, meta=meta, id=id, **params)
        return await self.answer(number)

    def begin(self, method: str, *, meta: dict[str, Any] | None = None, id: Any = None, **params: Any) -> Any:  # noqa: A002
        number = next(self.ids) if id is None else id
        self.say(
            {"jsonrpc": "2.0", "id": number, "method": method, "params": params | ({"_meta": meta} if meta else {})}
        )
        return number

    def say(self, message: Any) -> None:
        self.server.take(message if isinstance(message, bytes) else json.dumps(message).encode())

    async def answer(self, number: Any) -> Any:
        async with asyncio.timeout(20):
            while (
                found := next((one for one in self.heard if one.get("id") == number and "method" not in one), None)
            ) is None:
                self.news.clear()
                await self.news.wait()
        self.heard.remove(found)
        return found

    async def result(self, method: str, **given: Any) -> Any:
        answered = await self.ask(method, **given)
        assert "result" in answered, answered
        return answered["result"]

    async def error(self, method: str, **given: Any) -> Any:
        answered = await self.ask(method, **given)
        assert "error" in answered, answered
        return answered["error"]

    async def call(self, name: str, arguments: Any = None, *, key: str = "", token: Any = None, **given: Any) -> Any:
        meta = ({KEY: key} if key else {}) | ({} if token is None else {"progressToken": token})
        return await self.result("tools/call", meta=meta, name=name, arguments=arguments or {}, **given)

    def notes(self, method: str) -> list[Any]:
        return [one["params"] for one in self.heard if one.get("method") == method]


@asynccontextmanager
async def pipe(
    folder: Path,
    answer: Callable[[httpx.Request], Any] = chat,
    *,
    change: Callable[[dict[str, Any]], Any] = lambda _: None,
) -> AsyncIterator[Peer]:
    """A client of a server; `change` changes the configuration before."""
    document = json.loads(json.dumps(CONFIGURATION))
    change(document)
    configuration = parse(document, folder=folder, environ={}, kinds=kinds())
    upstream = Upstream(answer)
    heard: list[Any] = []
    news = asyncio.Event()

    def write(line: bytes) -> None:
        assert line.endswith(b"\n")
        assert line.count(b"\n") == 1
        heard.append(json.loads(line))
        news.set()

    options = {"transport": httpx.MockTransport(upstream)}
    async with Runtime(configuration, lambda _: options) as runtime, open_server(runtime) as opened:
        server = PipeServer(opened.server, write)
        yield Peer(server, upstream, opened, heard, news)
        await server.finish(0.0)
