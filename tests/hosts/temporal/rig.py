"""A real Temporal server, workflows that call activities of ours, and an upstream that counts."""

from __future__ import annotations

import asyncio
import json
import socket
import subprocess
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import count
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from aiohttp import web
from temporalio.client import Client, WorkflowFailureError
from temporalio.exceptions import ActivityError, ApplicationError
from temporalio.worker import Worker

from connector.hosts.temporal import activities
from tests.hosts.judges import needed_judge, python_of, variables
from tests.hosts.temporal.workflows import Ask

__all__ = ["Bench", "Server", "Upstream", "bench", "cause", "chat", "free_port"]

CHAT = {"prototype": "openai", "parameters": {"client": "openai", "entity": "chat completions"}}
MODELS = {"object": "list", "data": [{"id": "gpt-6-luna", "object": "model"}]}
Answer = Callable[[web.Request, Any], Awaitable[web.StreamResponse]]


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


class Server:
    """Temporal's own server, for development: what it keeps is in a file, so that it can be killed and go on.

    Args:
        folder: where that file is.
    """

    def __init__(self, folder: Path) -> None:
        self.address = f"127.0.0.1:{free_port()}"
        self._folder = folder
        self._process: subprocess.Popen[bytes] | None = None
        self.start()

    def start(self) -> None:
        program = needed_judge(python_of("temporal").with_name("temporal"))
        port = self.address.partition(":")[2]
        with (self._folder / "temporal.log").open("ab") as log:
            self._process = subprocess.Popen(
                [str(program), "server", "start-dev", "--headless", "--ip", "127.0.0.1", "--port", port,
                 "--db-filename", str(self._folder / "server.db"), "--log-level", "error"],
                cwd=self._folder, stdout=log, stderr=log,
                env=variables(HOME=str(self._folder), TEMPORAL_DISABLE_CONFIG_FILE="1"),
            )  # fmt: skip

    def kill(self) -> None:
        assert self._process is not None
        self._process.kill()
        self._process.wait(20)

    async def connect(self) -> Client:
        """A client, once the server answers."""
        async with asyncio.timeout(60):
            while True:
                try:
                    client = await Client.connect(self.address)
                    await client.count_workflows()
                except Exception:  # noqa: BLE001  it is not there yet, in one of many ways
                    assert self._process is not None
                    assert self._process.poll() is None, (self._folder / "temporal.log").read_text()[-2000:]
                    await asyncio.sleep(0.05)
                else:
                    return client


async def chat(_: web.Request, body: Any) -> web.StreamResponse:
    """Says back what was said to it."""
    said = body["messages"][-1]["content"]
    choice = {"index": 0, "message": {"role": "assistant", "content": f"re: {said}"}, "finish_reason": "stop"}
    return web.json_response({"id": "c-1", "object": "chat.completion", "model": "gpt-6-luna", "choices": [choice]})


@dataclass
class Upstream:
    """Answers by a handler, and remembers what arrived."""

    answer: Answer = chat
    posts: list[Any] = field(default_factory=list[Any])
    url: str = ""

    @asynccontextmanager
    async def listen(self) -> AsyncIterator[None]:
        application = web.Application()
        application.add_routes([web.get("/v1/models", self._list), web.post("/v1/{path:.*}", self._post)])
        runner = web.AppRunner(application, shutdown_timeout=0.1)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        self.url = f"http://127.0.0.1:{runner.addresses[0][1]}/v1"
        try:
            yield
        finally:
            await runner.cleanup()

    async def _list(self, _: web.Request) -> web.StreamResponse:
        return web.json_response(MODELS)

    async def _post(self, request: web.Request) -> web.StreamResponse:
        body = await request.json()
        self.posts.append(body)
        return await self.answer(request, body)


@dataclass
class Bench:
    """A worker on a task queue of its own, and what workflows are asked through it."""

    client: Client
    upstream: Upstream
    folder: Path
    configuration: dict[str, Any]
    queue: str
    numbers: Any = field(default_factory=lambda: count(1))

    @asynccontextmanager
    async def worker(self, **more: Any) -> AsyncIterator[Any]:
        """A worker with our activities; several of them may be at work."""
        path = self.folder / "connector.json"
        path.write_text(json.dumps(self.configuration))
        async with (
            activities(path) as opened,
            Worker(self.client, task_queue=self.queue, workflows=[Ask], activities=opened.definitions, **more),
        ):
            yield opened

    async def start(self, activity: str, *arguments: Any, id: str = "", **how: Any) -> Any:  # noqa: A002
        """A workflow that was started."""
        asked = {"activity": activity, "arguments": list(arguments), **how}
        return await self.client.start_workflow(
            Ask.run, asked, id=id or f"ask-{uuid4()}", task_queue=self.queue, execution_timeout=timedelta(seconds=60)
        )

    async def ask(self, activity: str, *arguments: Any, **how: Any) -> Any:
        """What a workflow returns that runs one activity."""
        return await (await self.start(activity, *arguments, **how)).result()

    async def fail(self, activity: str, *arguments: Any, **how: Any) -> ApplicationError:
        """The error by which an activity of a workflow fails."""
        return await cause(await self.start(activity, *arguments, **how))


async def cause(handle: Any) -> ApplicationError:
    """Why a workflow's activity failed."""
    with pytest.raises(WorkflowFailureError) as caught:
        await handle.result()
    assert isinstance(caught.value.cause, ActivityError)
    assert isinstance(caught.value.cause.cause, ApplicationError)
    return caught.value.cause.cause


@asynccontextmanager
async def bench(server: Server, folder: Path, answer: Answer = chat, **settings: Any) -> AsyncIterator[Bench]:
    """What a test needs; `settings` are those of `temporal`."""
    upstream = Upstream(answer)
    async with upstream.listen():
        parameters = {
            "token": "sk-canary-0123456789abcdef", "base_uri": upstream.url, "retry": {"max_retries": 0},
        }  # fmt: skip
        configuration = {
            "clients": {"openai": {"prototype": "openai", "parameters": parameters}},
            "outgoing": {
                "greet": {
                    "chain": [{"chat-prompt": {"model": "gpt-6-luna", "prompt": "Greet &{name}."}}],
                    "publisher": CHAT,
                    "answer": {"chain": ["answer-text"]},
                }
            },
            "temporal": {"operations": ["models list", "chat completions create"], **settings},
        }
        yield Bench(await server.connect(), upstream, folder, configuration, f"queue-{uuid4()}")
