"""Routes delivered one task at a time, on the embedded engine, before scripted answers, in time that stands still."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest

from connector.config import parse
from connector.delivery.context import DeliveryContext
from connector.delivery.delivery import Delivery
from connector.delivery.outbox import FileAppender
from connector.engine import Change, NewTask, Store, Task, TaskState, open_store
from connector.pipeline import Runtime, kinds
from connector.timing import Timing

CANARY = "sk-canary-0123456789"
CALL = {"prototype": "openai", "parameters": {"client": "openai", "entity": "chat completions"}}
ASK = {"payload": {"model": "gpt-5-mini", "messages": [{"role": "user", "content": "&{text}"}]}}
STEP = {"attempts": 3, "retry_delay": 10, "max_delay": 100}


@dataclass
class Clock:
    """Time that passes only where somebody waits."""

    now: float = 1_700_000_000.0

    def __call__(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        self.now += seconds


@dataclass
class Upstream:
    """Answers by a handler, and remembers what arrived."""

    answer: Callable[[httpx.Request], Any]
    requests: list[httpx.Request] = field(default_factory=list)

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        return self.answer(request)

    @property
    def posts(self) -> list[Any]:
        return [json.loads(one.content) for one in self.requests if one.method == "POST"]


def chat(request: httpx.Request) -> httpx.Response:
    """Says back what was said to it."""
    said = json.loads(request.content)["messages"][-1]["content"]
    body = {"id": "c-1", "object": "chat.completion", "choices": [{"message": {"content": f"re: {said}"}}]}
    return httpx.Response(200, json=body | {"usage": {"prompt_tokens": 3, "completion_tokens": 2}})


@dataclass
class Bench:
    """A configuration at work on a store."""

    store: Store
    runtime: Runtime
    shared: DeliveryContext
    upstream: Upstream
    clock: Clock
    path: Path
    folder: Path
    deliveries: dict[str, Delivery] = field(default_factory=dict)

    def delivery(self, name: str = "r") -> Delivery:
        if name not in self.deliveries:
            self.deliveries[name] = Delivery(self.shared, name)
        return self.deliveries[name]

    async def accept(self, *documents: Any, route: str = "r") -> list[int]:
        done = await self.store.commit(Change(accept=[NewTask(route=route, document=one) for one in documents]))
        return list(done.accepted)

    async def work(self, route: str = "r") -> list[Task]:
        """Attempts everything that is due now, once; the tasks as they are then."""
        tasks = await self.store.lease(route, 100)
        changes = [await self.delivery(route).attempt(task) for task in tasks]
        await asyncio.gather(*(self.store.commit(change) for change in changes))
        return [await self.task(task.id) for task in tasks]

    async def until_ended(self, route: str = "r", most: int = 100) -> None:
        """Goes on, letting time pass, until nothing waits."""
        for _ in range(most):
            if not await self.work(route):
                due = await self.store.next_due(route)
                if due is None:
                    return
                self.clock.now = max(self.clock.now, due)
        raise AssertionError("tasks never came to an end")

    async def task(self, number: int) -> Task:
        task = await self.store.task(number)
        assert task is not None
        return task

    async def states(self, route: str = "r") -> dict[TaskState, int]:
        return dict((await self.store.counts(route)).get(route, {}))

    async def lines(self) -> int:
        return await FileAppender(self.store).write()

    async def crash(self) -> Bench:
        """The same store, opened anew by another process; what was leased is leased again."""
        for delivery in self.deliveries.values():
            await delivery.close()
        await self.store.close()
        store = await open_store(f"sqlite:///{self.path}", clock=self.clock)
        shared = DeliveryContext(
            self.runtime, store, timing=self.shared.timing, wall=self.clock, settling=self.shared.settling
        )
        self.store, self.shared, self.deliveries = store, shared, {}
        return self

    async def cut_off(self, route: str = "r") -> Task:
        """An attempt whose process dies after its last answer came and before anything of that was committed."""
        [task] = await self.store.lease(route, 1)
        await self.delivery(route).attempt(task)
        await self.crash()
        return task


@asynccontextmanager
async def opened(folder: Path, answer: Any = chat, *, base: str = "", **given: Any) -> AsyncIterator[Bench]:
    """A bench of one route `r` to the outgoing `out`; with `base`, before a server that listens there."""
    clock = Clock()
    timing = Timing(clock=clock, sleep=clock.sleep, chance=lambda: 0.0)
    upstream = Upstream(answer)
    configuration = parse(configured(folder, base, given), folder=folder, environ={"KEY": CANARY}, kinds=kinds())
    options: dict[str, Any] = {"timing": timing}
    if not base:
        options["transport"] = httpx.MockTransport(upstream)
    async with Runtime(configuration, lambda _: options) as runtime:
        store = await open_store(f"sqlite:///{folder / 'tasks.db'}", clock=clock)
        shared = DeliveryContext(runtime, store, timing=timing, wall=clock, **given)
        bench = Bench(store, runtime, shared, upstream, clock, folder / "tasks.db", folder)
        try:
            yield bench
        finally:
            for delivery in bench.deliveries.values():
                await delivery.close()
            await bench.store.close()


def configured(folder: Path, base: str, given: dict[str, Any]) -> dict[str, Any]:
    """A whole configuration; takes out of `given` what belongs there."""
    retry = {"max_retries": 0, **given.pop("retry", {})}
    client = {"token": "${KEY}", "retry": retry, "file_roots": [str(folder)], "errors": given.pop("errors", [])}
    client |= {"base_uri": base} if base else {}
    client |= {"timeouts": given.pop("timeouts", {}), **given.pop("account", {})}
    sections = given.pop("sections", {})
    read = {"subscriber": {"prototype": "file", "parameters": {"url": "in.jsonl"}}}
    return {
        "clients": {
            given.pop("client", "openai"): {"prototype": "openai", "parameters": client},
            "api": {"prototype": "http", "parameters": {"base_uri": "https://api.example/v1", "retry": retry}},
        },
        **sections,
        "incoming": {"in": read, **sections.get("incoming", {})},
        "outgoing": {
            "out": {"publisher": CALL, "request": ASK, **given.pop("out", {})},
            **sections.get("outgoing", {}),
        },
        "routes": {
            "r": {"incoming": "in", "outgoing": "out", **STEP, **given.pop("route", {})},
            **sections.get("routes", {}),
        },
    }


@pytest.fixture
async def bench(tmp_path: Path) -> AsyncIterator[Callable[..., Any]]:
    """Makes a bench."""
    async with AsyncExitStack() as stack:

        async def make(answer: Any = chat, **given: Any) -> Bench:
            return await stack.enter_async_context(opened(tmp_path, answer, **given))

        yield make


@pytest.fixture
def open_bench() -> Callable[..., Any]:
    """Opens a bench in a folder of its own, as often as an example needs one."""
    return opened
