"""A run does what people say while it works, in whichever process they say it, and remembers it over restarts."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from connector.engine import Change, NewTask, Store, TaskState, open_store
from connector.pipeline import Runtime
from connector.runtime.plan import Plan
from connector.runtime.route_control import (
    pause_record,
    read_pauses,
    read_runners,
    resume_record,
    run_record,
)
from connector.runtime.runner import Runner
from connector.timing import Timing
from tests.runtime.kit import until

OFTEN = Timing(sleep=lambda seconds: asyncio.sleep(min(seconds, 0.01)))
SECTIONS: dict[str, Any] = {
    "incoming": {"in": {"subscriber": {"prototype": "file", "parameters": {"url": "in.jsonl"}}}},
    "outgoing": {"out": {"publisher": {"prototype": "file", "parameters": {"url": "out.jsonl", "append": True}}}},
    "routes": {"route": {"incoming": "in", "outgoing": "out", "key": "id"}},
}


class Running:
    """A service under way, and what somebody else says to its store from another connection."""

    def __init__(self, runner: Runner, store: Store, beside: Store, folder: Path) -> None:
        self.runner = runner
        self.store = store
        self.beside = beside
        self.folder = folder

    @property
    def written(self) -> list[int]:
        path = self.folder / "out.jsonl"
        return [json.loads(line)["id"] for line in path.read_text().splitlines()] if path.exists() else []

    async def accept(self, *ids: int) -> None:
        await self.store.commit(
            Change(accept=[NewTask(route="route", document={"id": one}, key=str(one)) for one in ids])
        )

    async def say(self, records: Any) -> None:
        await self.beside.commit(Change(records=records))

    async def held(self) -> None:
        await until(lambda: "route" in self.runner._control.pauses)


@pytest.fixture
def running(runtime: Callable[..., Runtime], tmp_path: Path) -> Callable[..., Any]:
    @asynccontextmanager
    async def make(**sections: Any) -> AsyncGenerator[Running]:
        (tmp_path / "in.jsonl").touch()
        async with runtime(lambda _: httpx.Response(200), **{**SECTIONS, **sections}) as at_work:
            store = await open_store(at_work.configuration.engine_url)
            beside = await open_store(at_work.configuration.engine_url, role="admin")
            runner = Runner(at_work, store, Plan.of(at_work.configuration), timing=OFTEN)
            service = asyncio.create_task(runner.run())
            try:
                yield Running(runner, store, beside, tmp_path)
            finally:
                runner.stop("the test is over")
                await service
                await beside.close()
                await store.close()

    return make


async def test_a_paused_route_delivers_nothing_until_it_is_resumed(running: Any) -> None:
    async with running() as at:
        await at.accept(1)
        await until(lambda: at.written == [1])
        await at.say(pause_record("route", "the shop is closed", "ada", 1000.0))
        await at.held()
        await at.accept(2, 3)
        await asyncio.sleep(0.1)
        assert at.written == [1]
        assert (await at.store.counts())["route"] == {TaskState.FINISHED: 1, TaskState.NEW: 2}
        stall = (await at.runner._monitor.look())[0]
        assert stall.reason == "paused by ada: the shop is closed; `route resume route` ends that"
        await at.say(resume_record("route"))
        await until(lambda: sorted(at.written) == [1, 2, 3])


async def test_a_pause_outlives_the_run(running: Any, tmp_path: Path) -> None:
    async with running() as at:
        await at.say(pause_record("route", "", "", 1000.0))
        await at.held()
        await at.accept(1)
    async with running() as at:
        await at.held()
        await asyncio.sleep(0.1)
        assert at.written == []
        assert (await read_pauses(at.beside))["route"].since == 1000.0
        await at.say(resume_record("route"))
        await until(lambda: at.written == [1])


async def test_a_route_is_read_when_somebody_asks_once_and_not_while_it_is_paused(running: Any, tmp_path: Path) -> None:
    async with running() as at:
        await until(lambda: not at.runner._readings.under_way)
        (tmp_path / "in.jsonl").write_text('{"id": 7}\n')
        await at.say(run_record("route", "ada", 1000.0))
        await until(lambda: at.written == [7])
        await at.say(pause_record("route", "", "ada", 1001.0))
        await at.held()
        (tmp_path / "in.jsonl").write_text('{"id": 7}\n{"id": 8}\n')
        await at.say(run_record("route", "ada", 1002.0))
        await asyncio.sleep(0.1)
        assert at.written == [7]
        await at.say(resume_record("route"))
        await until(lambda: at.written == [7, 8])
        assert await at.beside.records("route-runs") == {}


async def test_a_run_says_that_it_is_at_work_and_that_it_has_ended(running: Any) -> None:
    async with running() as at:
        await at.accept(1)
        await until(lambda: at.written == [1])
        (alive,) = await read_runners(at.beside, alive_at := (await _since(at.beside)) + 30)
        assert alive.routes == ["route"]
        assert await read_runners(at.beside, alive_at + 10) == [], "nothing was heard of it for long"
        store = at.store
        at.runner.stop("now")
        await until(lambda: store is at.store)
    assert at.written == [1]


async def _since(store: Store) -> float:
    (record,) = (await store.records("runners")).values()
    return float(record["seen"])
