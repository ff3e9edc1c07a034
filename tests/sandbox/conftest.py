"""Sandboxes on loopback, and clients that talk to them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from typing import Any

import aiohttp
import pytest

from connector.catalogue import Catalogue
from connector.model import JSON
from connector.sandbox import Sandbox

Start = Callable[..., Awaitable["Running"]]


class Running:
    """A sandbox, and a session that calls it with a key."""

    def __init__(self, sandbox: Sandbox, session: aiohttp.ClientSession) -> None:
        self.sandbox = sandbox
        self.session = session

    async def call(self, method: str, path: str, payload: JSON = None, **told: Any) -> tuple[int, JSON]:
        """The status and body of an answer; `/sandbox/…` leads to the sandbox's own paths."""
        given = told if payload is None else {**told, "json": payload}
        base = self.sandbox.origin if path.startswith("/sandbox/") else self.sandbox.url
        async with self.session.request(method, base + path, **given) as answer:
            return answer.status, await _body(answer)

    async def made(self, path: str, payload: JSON) -> JSON:
        """What a POST that has to work made."""
        status, body = await self.call("POST", path, payload)
        assert status == 200, body
        return body


async def _body(answer: aiohttp.ClientResponse) -> JSON:
    return await answer.json() if answer.content_type == "application/json" else await answer.text()


@pytest.fixture(scope="session")
def catalogue() -> Catalogue:
    return Catalogue.open()


@pytest.fixture
async def start(catalogue: Catalogue) -> AsyncIterator[Start]:
    """Starts a sandbox with what it is told; all are stopped after the test."""
    async with AsyncExitStack() as stack:

        async def started(**told: Any) -> Running:
            sandbox = await stack.enter_async_context(Sandbox(**{"catalogue": catalogue, **told}))
            headers = {"Authorization": "Bearer sk-test-of-the-sandbox", **dict(told.pop("headers", {}))}
            session = await stack.enter_async_context(aiohttp.ClientSession(headers=headers))
            return Running(sandbox, session)

        yield started


@pytest.fixture
async def running(start: Start) -> Running:
    """A sandbox as it is when it is told nothing."""
    return await start()
