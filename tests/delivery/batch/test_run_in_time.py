"""A whole run, with its workers and polls, by a clock that the test moves on: its batch moves up while it waits."""

from __future__ import annotations

import asyncio
import heapq
import json
import re
from collections.abc import Callable
from itertools import count
from typing import Any

import pytest

from connector.engine import Filter
from connector.runtime.plan import Plan
from connector.runtime.runner import Runner
from connector.timing import Timing
from tests.delivery.batch.conftest import Clock
from tests.delivery.batch.test_moving_up import ROUTE, TEXTS, paid, set_pace

MOST_TURNS = 60_000


class MovedTime:
    """Sleepers wake when the clock has come to their time."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self._sleepers: list[tuple[float, int, asyncio.Future[None]]] = []
        self._numbers = count()

    async def sleep(self, seconds: float) -> None:
        woken: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        heapq.heappush(self._sleepers, (self.clock.now + seconds, next(self._numbers), woken))
        await woken

    def move(self, seconds: float) -> None:
        self.clock.now += seconds
        while self._sleepers and self._sleepers[0][0] <= self.clock.now:
            woken = heapq.heappop(self._sleepers)[2]
            if not woken.done():
                woken.set_result(None)


async def until(at: Any, time: MovedTime, run: asyncio.Task[Any], step: float, seen: Callable[[], bool]) -> None:
    """Move time on by small steps until something is seen."""
    for _ in range(MOST_TURNS):
        if seen():
            return
        if run.done():
            run.result()
            raise AssertionError("the run ended before")
        time.move(step)
        await at.sandbox.backend.scheduler.run_due()
        await asyncio.sleep(0.005)  # for what is under way on the loopback
    raise AssertionError("it was never seen")


async def test_a_run_moves_its_batch_up(bench, monkeypatch: pytest.MonkeyPatch) -> None:
    at = await bench(route=ROUTE)
    (at.folder / "in.jsonl").write_text("".join(json.dumps({"text": text}) + "\n" for text in TEXTS))
    set_pace(at, 1_000.0)
    monkeypatch.setattr(
        "connector.engine.failpoints.reach", lambda name: set_pace(at, 120.0) if name == "batch.cancel.before" else None
    )
    time = MovedTime(at.clock)
    timing = Timing(clock=at.clock, sleep=time.sleep, chance=lambda: 0.0)
    runner = Runner(at.runtime, at.store, Plan.of(at.runtime.configuration), once=True, timing=timing, wall=at.clock)
    run = asyncio.create_task(runner.run())
    began = at.clock.now
    # Time nearly stands still until the batch is made, however slow the machine is.
    await until(at, time, run, 0.01, lambda: bool(at.things("batches")))
    await until(at, time, run, 5.0, lambda: at.things("batches")[0]["status"] in ("cancelling", "cancelled"))
    assert at.clock.now - began < 2_400.0
    await until(at, time, run, 1.0, run.done)
    assert (await at.store.counts("r"))["r"] == {"finished": 4}
    assert sorted(at.written()) == sorted(TEXTS)
    assert paid(at) == 4
    assert runner.metrics.moved_up.total() == 1
    tasks = await at.store.tasks(Filter(route="r"))
    moved = [task for task in tasks if re.match(r"moved up at .*; standard: 95 % take ", task.reason)]
    assert moved
    assert runner.metrics.transports.values["r", "standard"] == len(moved)
