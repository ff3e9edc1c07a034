"""Routes by the Batch API of a sandbox, on the embedded engine, in time that stands still."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from connector.catalogue import Catalogue
from connector.config import parse
from connector.delivery.context import DeliveryContext
from connector.delivery.delivery import Delivery
from connector.delivery.outbox import FileAppender
from connector.delivery.route_spec import implied_routes
from connector.engine import Change, NewTask, Store, Task, open_store
from connector.pipeline import Runtime, kinds
from connector.sandbox import Sandbox
from connector.timing import Timing

CATALOGUE = Catalogue.open()
TOKEN = "sk-canary-0123456789"
CALL = {"prototype": "openai", "parameters": {"client": "openai", "entity": "chat completions"}}
ASK = {"payload": {"model": "gpt-5-mini", "messages": [{"role": "user", "content": "&{text}"}]}}
SAID = {"prototype": "file", "parameters": {"url": "out.jsonl", "content": "&{document.text}"}}


class Crash(BaseException):
    """The process is gone."""


@dataclass
class Clock:
    """Time that passes only where somebody waits."""

    now: float = 1_800_000_000.0

    def __call__(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        self.now += seconds


@dataclass
class Bench:
    """A configuration at work on a store, before a sandbox."""

    sandbox: Sandbox
    store: Store
    runtime: Runtime
    shared: DeliveryContext
    clock: Clock
    folder: Path
    deliveries: dict[str, Delivery] = field(default_factory=dict)

    def delivery(self, name: str) -> Delivery:
        if name not in self.deliveries:
            self.deliveries[name] = Delivery(self.shared, name)
        return self.deliveries[name]

    async def accept(self, *texts: str, **more: Any) -> list[int]:
        new = [NewTask(route="r", document={"text": text, **more}) for text in texts]
        return list((await self.store.commit(Change(accept=new))).accepted)

    async def gather(self, *, rest: bool = True) -> list[Task]:
        """Takes on what is due; and lets it go, though more could come."""
        tasks = list(await self.store.lease("r", 1000))
        await self.store.commit(await self.delivery("r").carry(tasks))
        if rest:
            await self.store.commit(await self.delivery("r").carry_rest())
        return tasks

    async def step(self, route: str) -> int:
        """One attempt at everything that is due on a route."""
        tasks = await self.store.lease(route, 100)
        for task in tasks:
            await self.store.commit(await self.delivery(route).attempt(task))
        return len(tasks)

    async def pass_time(self, seconds: float) -> None:
        self.clock.now += seconds
        await self.sandbox.backend.scheduler.run_due()

    async def live(self, crashes: Callable[[], None] = lambda: None, most: int = 3000) -> None:
        """Works until nothing is left to do; a crash loses what was not committed."""
        for _ in range(most):
            try:
                crashes()
                busy = len(await self.gather())
                for name in implied_routes(self.runtime, "r"):
                    busy += await self.step(name)
                await FileAppender(self.store).write()
            except Crash:
                await self.crash()
                continue
            if busy:
                continue
            dues = [await self.store.next_due(name) for name in ("r", *implied_routes(self.runtime, "r"))]
            known = [due for due in dues if due is not None]
            if not known:
                return
            await self.pass_time(max(min(known) - self.clock.now, 0.1))
        raise AssertionError("it never came to an end")

    async def crash(self) -> None:
        """The same store, opened anew by another process; what was leased is leased again."""
        for delivery in self.deliveries.values():
            await delivery.close()
        await self.store.close()
        self.store = await open_store(f"sqlite:///{self.folder / 'tasks.db'}", clock=self.clock)
        self.shared = DeliveryContext(self.runtime, self.store, timing=self.shared.timing, wall=self.clock)
        self.deliveries = {}

    async def states(self, route: str = "r") -> dict[str, int]:
        counts = (await self.store.counts(route)).get(route, {})
        return {state.value: count for state, count in counts.items()}

    async def task(self, number: int) -> Task:
        task = await self.store.task(number)
        assert task is not None
        return task

    def written(self) -> list[str]:
        path = self.folder / "out.jsonl"
        return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []

    def things(self, kind: str) -> list[dict[str, Any]]:
        """What the sandbox keeps of a kind."""
        return list(self.sandbox.backend.objects.all(kind))

    def ran(self) -> list[int]:
        """The tasks whose lines were done, and so paid for, as the answers that were ever written tell."""
        found: list[int] = []
        for file in self.things("files"):
            data = self.sandbox.backend.objects.content(file["id"]) if file["purpose"] == "batch_output" else b""
            rows = [json.loads(line) for line in (data or b"").splitlines()]
            found += [
                int(row["custom_id"].split("-")[1]) for row in rows if (row["response"] or {}).get("status_code") == 200
            ]
        return sorted(found)


@asynccontextmanager
async def opened(folder: Path, script: Any = None, **given: Any) -> AsyncIterator[Bench]:
    clock = Clock()
    timing = Timing(clock=clock, sleep=clock.sleep, chance=lambda: 0.0)
    async with Sandbox(catalogue=CATALOGUE, clock=clock, script=script) as sandbox:
        configuration = parse(configured(sandbox.url, given), folder=folder, environ={}, kinds=kinds())
        async with Runtime(configuration, lambda _: {"timing": timing}) as runtime:
            store = await open_store(f"sqlite:///{folder / 'tasks.db'}", clock=clock)
            bench = Bench(
                sandbox, store, runtime, DeliveryContext(runtime, store, timing=timing, wall=clock), clock, folder
            )
            try:
                yield bench
            finally:
                for delivery in bench.deliveries.values():
                    await delivery.close()
                await bench.store.close()


def configured(url: str, given: dict[str, Any]) -> dict[str, Any]:
    client = {"base_uri": url, "token": TOKEN, "retry": {"max_retries": 0}}
    out = {
        "publisher": CALL,
        "request": ASK,
        "transport": "batch",
        "answer": {"publisher": SAID},
        **given.pop("out", {}),
    }
    return {
        "clients": {"openai": {"prototype": "openai", "parameters": client}},
        "incoming": {"in": {"subscriber": {"prototype": "file", "parameters": {"url": "in.jsonl"}}}},
        "outgoing": {"out": out},
        "routes": {
            "r": {"incoming": "in", "outgoing": "out", "attempts": 3, "retry_delay": 10, **given.pop("route", {})}
        },
        **given,
    }


@pytest.fixture
async def bench(tmp_path: Path) -> AsyncIterator[Callable[..., Any]]:
    """Makes a bench."""
    async with AsyncExitStack() as stack:

        async def make(script: Any = None, **given: Any) -> Bench:
            return await stack.enter_async_context(opened(tmp_path, script, **given))

        yield make
