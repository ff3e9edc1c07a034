"""What a run does beside its tasks: heartbeats, news of others, files, what is old."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import AsyncGenerator, Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from connector.config.models.settings import Retention
from connector.engine import Change, Filter, Line, NewTask, Settlement, StoreBroken, StoreFull, TaskState, open_store
from connector.runtime.context import guard
from connector.runtime.housekeeping import LineFlusher, RetentionPurger, send_heartbeats, watch_store
from connector.runtime.plan import Plan
from connector.runtime.runner import Runner
from connector.timing import Timing
from tests.runtime.kit import Simulated, until
from tests.runtime.memory import MemoryStore

DAY = 86400.0


class Crew:
    def __init__(self) -> None:
        self.leased = [1, 2, 3]
        self.abandoned: list[int] = []
        self.woken = 0
        self.renewed = 0

    async def abandon(self, tasks: list[int]) -> None:
        self.abandoned += tasks

    def wake(self) -> None:
        self.woken += 1

    async def renew(self) -> None:
        self.renewed += 1


@contextlib.asynccontextmanager
async def beside(work: Any) -> AsyncGenerator[None]:
    task = asyncio.create_task(work)
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


class Sleeper:
    """Sleeps no longer than it takes the others to do something."""

    def __init__(self) -> None:
        self.slept: list[float] = []

    async def __call__(self, seconds: float) -> None:
        self.slept.append(seconds)
        await asyncio.sleep(0)


async def test_what_another_worker_has_is_broken_off() -> None:
    crew, store, sleeper = Crew(), MemoryStore(), Sleeper()
    store.holders = {1: "one", 2: "another", 3: "one"}
    async with beside(send_heartbeats(crew, crew, store, Timing(sleep=sleeper))):  # type: ignore[arg-type]
        await until(lambda: bool(crew.abandoned) and crew.renewed > 0)
    assert set(crew.abandoned) == {2}
    assert sleeper.slept[0] == 10.0


async def test_everybody_looks_when_somebody_else_changes_something_but_not_all_the_time() -> None:
    crew, store, sleeper = Crew(), MemoryStore(), Sleeper()
    async with beside(watch_store(crew, store, Timing(sleep=sleeper))):  # type: ignore[arg-type]
        for _ in range(10):
            await asyncio.sleep(0)
        assert crew.woken == 0
        await store.commit(Change())
        await until(lambda: crew.woken == 1)
        assert sleeper.slept == [0.25]


@pytest.fixture
async def store(tmp_path: Path) -> Any:
    now = time.time()
    found = await open_store(f"sqlite:///{tmp_path / 'tasks.db'}", clock=lambda: now)
    yield found
    await found.close()


async def test_lines_are_written_when_they_are_told_of(store: Any, tmp_path: Path) -> None:
    writing, written = LineFlusher(store), []
    async with beside(writing.run(lambda: written.append(1))):
        await until(lambda: bool(written))
        await store.commit(Change(lines=[Line(place=str(tmp_path / "out.txt"), data=b"a line\n")]))
        writing.notify()
        assert not writing.is_done
        await until(lambda: len(written) == 2)
    assert writing.is_done
    assert (tmp_path / "out.txt").read_text() == "a line\n"


async def test_a_file_that_cannot_be_written_is_told_once_and_tried_again(
    store: Any, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    place = tmp_path / "folder"
    place.mkdir()
    await store.commit(Change(lines=[Line(place=str(place), data=b"a line\n")]))
    sleeper = Sleeper()
    writing, written = LineFlusher(store, Timing(sleep=sleeper)), []
    async with beside(writing.run(lambda: written.append(1))):
        await until(lambda: len(sleeper.slept) >= 3)
        assert not writing.is_done
        place.rmdir()
        await until(lambda: bool(written))
    assert place.read_text() == "a line\n"
    assert caplog.text.count("cannot append") + caplog.text.count("folder") >= 1
    assert len([record for record in caplog.records if record.levelno == logging.WARNING]) == 1


async def ended(store: Any, *states: TaskState) -> None:
    await store.commit(Change(accept=[NewTask(route="r", document=n) for n in range(len(states))]))
    tasks = await store.lease("r", len(states))
    await store.commit(
        Change(settle=[Settlement(task=task.id, state=state) for task, state in zip(tasks, states, strict=True)])
    )


async def test_each_state_is_kept_for_as_long_as_it_says(store: Any) -> None:
    await ended(store, TaskState.FINISHED, TaskState.FAILED, TaskState.SKIPPED, TaskState.UNKNOWN)
    now = time.time()
    retention = Retention.model_validate({"finished": "30d", "failed": "90d", "skipped": "1d"})
    forgetting = RetentionPurger(retention, store, lambda: now)

    async def left(days: float) -> list[str]:
        nonlocal now
        now = time.time() + days * DAY
        await forgetting.purge()
        return sorted(task.state.value for task in await store.tasks(Filter()))

    assert await left(0.5) == ["failed", "finished", "skipped", "unknown"]
    assert await left(2) == ["failed", "finished", "unknown"]
    assert await left(31) == ["failed", "unknown"]
    assert await left(9999) == ["unknown"]


async def test_old_tasks_are_looked_for_every_hour_even_after_a_full_disk(caplog: pytest.LogCaptureFixture) -> None:
    store, sleeper = MemoryStore(), Sleeper()
    asked = 0

    async def purge(wanted: Filter, *, most: int) -> int:
        nonlocal asked
        asked += 1
        if asked == 1:
            raise StoreFull("no space")
        return 0

    store.purge = purge  # type: ignore[assignment, method-assign]
    forgetting = RetentionPurger(Retention(), store, time.time, Timing(sleep=sleeper))
    async with beside(forgetting.run()):
        await until(lambda: len(sleeper.slept) >= 3)
    assert set(sleeper.slept) == {3600.0}
    assert asked >= 4
    assert "purged later" in caplog.text


async def test_an_error_beside_the_tasks_ends_the_run() -> None:
    errors: list[BaseException] = []

    async def breaks() -> None:
        raise StoreBroken("gone")

    await guard(breaks(), errors.append)
    assert isinstance(errors[0], StoreBroken)


async def test_six_hours_of_a_dead_upstream_fail_nothing_and_end_without_a_surge(runtime: Callable[..., Any]) -> None:
    clock, dead, asked, most, under_way = Simulated(), 6 * 3600.0, 0, 0, 0
    back = clock.now + dead
    vain = 0

    async def answer(request: httpx.Request) -> httpx.Response:
        nonlocal asked, most, under_way, vain
        if request.method == "GET":
            return httpx.Response(200, json=[{"id": n, "text": f"t{n}"} for n in range(300)])
        if clock.now < back:
            vain += 1
            raise httpx.ConnectError("nobody is there", request=request)
        asked, under_way = asked + 1, under_way + 1
        most = max(most, under_way) if asked <= 8 else most
        await clock.sleep(1.0)
        under_way -= 1
        return httpx.Response(200, json={"id": "c", "choices": []})

    out = {
        "concurrency": 64,
        "request": {"payload": {"model": "m", "messages": [{"role": "user", "content": "&{text}"}]}},
        "publisher": {"prototype": "openai", "parameters": {"client": "openai", "entity": "chat completions"}},
    }
    reads = {"prototype": "http", "parameters": {"client": "api", "request": {"path": "/tickets"}}}
    routes = {"route": {"incoming": "in", "outgoing": "out", "max_tasks": 200}}
    sections = {"incoming": {"in": {"subscriber": reads}}, "outgoing": {"out": out}, "routes": routes}
    async with runtime(answer, **sections) as at_work:
        store, live = MemoryStore(wall=clock), 0
        timing = Timing(clock=clock, sleep=clock.sleep, chance=lambda: 0.5)
        runner = Runner(at_work, store, Plan.of(at_work.configuration), timing=timing, wall=clock)  # type: ignore[arg-type]

        def over() -> bool:
            nonlocal live
            ends = [task.state for task in store.kept.values()].count(TaskState.FINISHED)
            live = max(live, len(store.kept) - ends)
            return ends == 300

        run = asyncio.create_task(runner.run())
        async with asyncio.timeout(300):
            await clock.passes(over)
            runner.stop("done")
            end = await run
    assert end.ended == {"route": {"finished": 300}}
    assert dead / 60 <= vain <= dead / 60 * 1.6 + 64, "one finds out every minute, and nobody else"
    assert live == 200, "the queue was filled to its bound, and no further"
    assert most <= 5, "one is back, and then more and more follow"
    assert asked == 300
