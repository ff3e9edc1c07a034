"""Configurations whose clients answer by a handler, and what reads a route of one into a store in memory."""

from __future__ import annotations

import time
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from connector.config import parse
from connector.delivery.storages import DurableStorages
from connector.engine.commits import Committer
from connector.intake.reading import RouteReading
from connector.pipeline import Runtime, kinds
from tests.runtime.memory import MemoryStore

NO_RETRY = {"retry": {"max_retries": 0}}
CLIENTS = {
    "openai": {"prototype": "openai", "parameters": {"token": "sk-canary-0123456789", **NO_RETRY}},
    "api": {"prototype": "http", "parameters": {"base_uri": "https://api.example/v1", **NO_RETRY}},
}
NOWHERE = {"publisher": {"prototype": "none"}}


@pytest.fixture
def runtime(tmp_path: Path) -> Callable[..., Runtime]:
    """Makes a runtime of a configuration's sections; all its clients answer by a handler."""

    def make(handler: Any = None, **sections: Any) -> Runtime:
        document = {"clients": CLIENTS, "outgoing": {"out": NOWHERE}, **sections}
        configuration = parse(document, folder=tmp_path, environ={}, kinds=kinds())
        return Runtime(configuration, lambda _: {"transport": httpx.MockTransport(handler)})

    return make


class Readings:
    """Readings of one route, one after the other, over one store."""

    def __init__(self, runtime: Runtime, store: MemoryStore) -> None:
        self.runtime = runtime
        self.store = store

    def reading(self, route: str = "route") -> RouteReading:
        keeping = DurableStorages(self.store, self.runtime.chained.storages, time.monotonic)
        return RouteReading(self.runtime, route, self.store, Committer(self.store, lambda _: None), keeping)

    @property
    def documents(self) -> list[Any]:
        return [task.document for task in self.store.kept.values()]


@pytest.fixture
def readings(runtime: Callable[..., Runtime]) -> Callable[..., Any]:
    """Readings of a route whose incoming is given."""

    @asynccontextmanager
    async def make(incoming: Any, handler: Any = None, *, store: Any = None, **route: Any) -> AsyncGenerator[Readings]:
        routes = {"route": {"incoming": "in", "outgoing": "out", **route.pop("route", {})}}
        async with runtime(handler, incoming={"in": incoming}, routes=routes, **route) as at_work:
            yield Readings(at_work, store or MemoryStore())

    return make
