"""A worker delivers every task once, keeps so many under way, and loses none when it is stopped or fenced."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

import pytest

from connector.delivery.context import TargetBreaker
from connector.engine import Change, Fenced, NewTask, Settlement, StoreBroken, StoreFull, Task, TaskState
from connector.engine.commits import Committer
from connector.http.policy import Pause
from connector.model import Outcome, State
from connector.runtime.context import WorkerContext
from connector.runtime.worker import Worker
from connector.timing import Timing
from tests.runtime.kit import until
from tests.runtime.memory import MemoryStore

ROUTE = "tickets"
FINISHED, WAITING, FAILED = TaskState.FINISHED, TaskState.WAITING, TaskState.FAILED


def ended(task: Task, state: TaskState = FINISHED, **more: object) -> Change:
    return Change(settle=[Settlement(task=task.id, state=state, **more)])  # type: ignore[arg-type]


class Clock:
    """Time that passes when somebody sleeps, and only once everybody does."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.slept: list[float] = []

    def __call__(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        for _ in range(20):
            await asyncio.sleep(0)
        self.slept.append(seconds)
        self.now += seconds


@dataclass
class Deliveries:
    """A delivery that does what a test says."""

    does: Callable[[Task], Awaitable[Change]]
    concurrency: int = 4
    breaker: TargetBreaker = field(default_factory=TargetBreaker)
    seen: list[int] = field(default_factory=list)
    under_way: int = 0
    most: int = 0

    @property
    def paused(self) -> Pause | None:
        return self.breaker.pause

    @property
    def rests(self) -> float:
        return self.breaker.rests

    async def attempt(self, task: Task) -> Change:
        self.seen.append(task.id)
        self.under_way += 1
        self.most = max(self.most, self.under_way)
        try:
            return await self.does(task)
        finally:
            self.under_way -= 1


async def at_once(task: Task) -> Change:
    await asyncio.sleep(0)
    return ended(task)


class Bench:
    """A worker over a store in memory, with a clock of its own."""

    def __init__(
        self, does: Callable[[Task], Awaitable[Change]] = at_once, concurrency: int = 4, **options: Any
    ) -> None:
        self.clock = Clock()
        self.store = MemoryStore(wall=self.clock)
        self.delivery = Deliveries(does, concurrency)
        self.errors: list[BaseException] = []
        self.rests = asyncio.Event()
        self.delivery_timing = timing = Timing(clock=self.clock, sleep=self.clock.sleep)
        self.commits = Committer(self.store, lambda _: self.worker.wake(), timing)
        context = WorkerContext(
            store=self.store,
            commit=self.commits,
            on_idle=self.rests.set,
            on_error=self.errors.append,
            timing=timing,
            wall=self.clock,
        )
        self.worker = Worker(ROUTE, self.delivery, context, on_failure=self.rescue, **options)

    async def rescue(self, task: Task, error: Exception) -> Change:
        return ended(task, FAILED, reason=str(error))

    async def accept(self, count: int, **more: str) -> None:
        await self.commits(Change(accept=[NewTask(route=ROUTE, document={"n": n}, **more) for n in range(count)]))

    async def rested(self) -> None:
        while not (self.worker.is_idle and not self.delivery.under_way):
            self.rests.clear()
            await asyncio.wait_for(self.rests.wait(), 30)

    async def until(self, state: TaskState) -> None:
        """Works until all tasks are in a state."""
        run = asyncio.create_task(self.worker.run())
        await until(lambda: {task.state for task in self.store.kept.values()} == {state})
        self.worker.stop()
        await run

    def states(self) -> list[TaskState]:
        return [task.state for task in self.store.kept.values()]


async def test_every_task_is_delivered_once_and_never_too_many_at_a_time() -> None:
    bench = Bench(concurrency=4)
    await bench.accept(100)
    await bench.until(FINISHED)
    assert sorted(bench.delivery.seen) == list(range(1, 101))
    assert bench.delivery.most == 4
    assert bench.store.holders == {}


async def test_tasks_are_leased_in_groups() -> None:
    bench = Bench(concurrency=64)
    await bench.accept(1000)
    await bench.until(FINISHED)
    assert bench.store.leases < 1000 / 8


async def test_nothing_is_asked_while_nothing_is_new() -> None:
    bench = Bench()
    run = asyncio.create_task(bench.worker.run())
    await bench.rested()
    leases = bench.store.leases
    for _ in range(50):
        await asyncio.sleep(0)
    assert bench.store.leases == leases
    await bench.accept(3)
    await bench.rested()
    assert bench.states() == [FINISHED] * 3
    bench.worker.stop()
    await run


async def test_a_stop_lets_what_is_under_way_end_and_gives_the_rest_back() -> None:
    release = asyncio.Event()

    async def slowly(task: Task) -> Change:
        await release.wait()
        return ended(task)

    bench = Bench(slowly, concurrency=8)
    await bench.accept(50)
    run = asyncio.create_task(bench.worker.run())
    await until(lambda: bench.delivery.under_way == 8)
    assert len(bench.worker.leased) == 10  # two more wait for a place
    bench.worker.stop()
    release.set()
    await run
    assert bench.states().count(FINISHED) == 8
    assert bench.store.holders == {}
    given_back = [task for task in bench.store.kept.values() if task.state is WAITING]
    assert [task.attempts for task in given_back] == [0, 0]


async def test_cancelled_it_breaks_off_and_settles_nothing() -> None:
    async def never(task: Task) -> Change:
        await asyncio.Event().wait()
        return ended(task)

    bench = Bench(never)
    await bench.accept(4)
    run = asyncio.create_task(bench.worker.run())
    await until(lambda: bench.delivery.under_way == 4)
    run.cancel()
    await asyncio.gather(run, return_exceptions=True)
    assert bench.delivery.under_way == 0
    assert bench.states() == [TaskState.PROCESSING] * 4


async def test_a_task_that_waits_is_tried_again_when_it_is_due() -> None:
    async def at_second_try(task: Task) -> Change:
        if task.attempts == 1:
            return ended(task, WAITING, due=bench.clock() + 7)
        return ended(task)

    bench = Bench(at_second_try)
    await bench.accept(3)
    begun = bench.clock()
    await bench.until(FINISHED)
    assert sorted(bench.delivery.seen) == [1, 1, 2, 2, 3, 3]
    assert 7 <= bench.clock() - begun < 40


async def test_a_poison_task_blocks_nobody(caplog: pytest.LogCaptureFixture) -> None:
    async def some_break(task: Task) -> Change:
        if task.id == 2:
            raise ZeroDivisionError("poison")
        return ended(task)

    bench = Bench(some_break)
    await bench.accept(3)
    run = asyncio.create_task(bench.worker.run())
    await bench.rested()
    bench.worker.stop()
    await run
    assert bench.states() == [FINISHED, FAILED, FINISHED]
    assert bench.store.kept[2].reason == "poison"
    assert "task 2 of route 'tickets' broke off" in caplog.text
    assert bench.errors == []


async def test_a_task_that_another_worker_has_is_broken_off(caplog: pytest.LogCaptureFixture) -> None:
    async def second_hangs(task: Task) -> Change:
        if task.id == 2:
            await asyncio.Event().wait()
        return ended(task)

    bench = Bench(second_hangs)
    await bench.accept(3)
    run = asyncio.create_task(bench.worker.run())
    await until(lambda: bench.states().count(FINISHED) == 2)
    bench.store.holders[2] = "another"
    await bench.worker.abandon(await bench.store.renew_leases(bench.worker.leased))
    await bench.rested()
    await bench.accept(1)
    await bench.rested()
    assert bench.store.kept[4].state is FINISHED, "the place goes on"
    bench.worker.stop()
    await run
    assert bench.store.holders == {2: "another"}
    assert "another worker has it now" in caplog.text


async def test_a_task_that_is_being_settled_is_not_taken_for_lost(caplog: pytest.LogCaptureFixture) -> None:
    bench = Bench()
    settled, go_on = asyncio.Event(), asyncio.Event()
    commit = bench.store.commit

    async def slowly(change: Change) -> Any:
        committed = await commit(change)
        if change.settle:
            settled.set()
            await go_on.wait()
        return committed

    bench.store.commit = slowly  # type: ignore[method-assign]
    await bench.accept(1)
    run = asyncio.create_task(bench.worker.run())
    await settled.wait()
    await bench.worker.abandon(await bench.store.renew_leases(bench.worker.leased))
    go_on.set()
    bench.worker.stop()
    await run
    assert bench.states() == [FINISHED]
    assert caplog.text == ""


async def test_a_fenced_commit_leaves_the_task_to_the_other_worker(caplog: pytest.LogCaptureFixture) -> None:
    async def taken_meanwhile(task: Task) -> Change:
        bench.store.holders[task.id] = "another"
        return ended(task)

    bench = Bench(taken_meanwhile)
    await bench.accept(1)
    run = asyncio.create_task(bench.worker.run())
    await bench.rested()
    bench.worker.stop()
    await run
    assert bench.states() == [TaskState.PROCESSING]
    assert "left to another worker" in caplog.text
    assert bench.errors == []


async def test_a_full_disk_loses_nothing_and_pays_nothing_twice(caplog: pytest.LogCaptureFixture) -> None:
    bench = Bench()
    await bench.accept(5)
    refused = 0

    def full(change: Change) -> None:
        nonlocal refused
        if change.settle and refused < 20:
            refused += 1
            raise StoreFull("no space is left")

    bench.store.refuse = full
    with caplog.at_level(logging.WARNING):
        await bench.until(FINISHED)
    assert refused == 20
    assert sorted(bench.delivery.seen) == [1, 2, 3, 4, 5]
    assert caplog.text.count("no space is left; nothing is lost") == 1
    assert caplog.text.count("there is space again") == 1


async def test_a_broken_store_is_told() -> None:
    async def gone(task: Task) -> Change:
        raise StoreBroken("the disk gave up")

    bench = Bench(gone, concurrency=1)
    await bench.accept(1)
    run = asyncio.create_task(bench.worker.run())
    await until(lambda: bool(bench.errors))
    run.cancel()
    await asyncio.gather(run, return_exceptions=True)
    assert isinstance(bench.errors[0], StoreBroken)


async def test_intents_that_are_fenced_leave_the_task(caplog: pytest.LogCaptureFixture) -> None:
    async def fenced(task: Task) -> Change:
        raise Fenced("another worker has task 1")

    bench = Bench(fenced)
    await bench.accept(1)
    run = asyncio.create_task(bench.worker.run())
    await bench.rested()
    bench.worker.stop()
    await run
    assert bench.errors == []
    assert "left to another worker" in caplog.text


async def test_tasks_of_one_order_key_go_one_after_the_other() -> None:
    bench = Bench(concurrency=8)
    await bench.accept(20, order="customer-7")
    await bench.until(FINISHED)
    assert bench.delivery.seen == list(range(1, 21))
    assert bench.delivery.most == 1


async def test_while_the_upstream_is_away_one_probes_and_nobody_burns() -> None:
    away_until = 7 * 3600.0

    async def away(task: Task) -> Change:
        if bench.clock() < 1000 + away_until:
            return ended(task, WAITING, due=bench.clock() + 5, uncounted=True)
        await asyncio.sleep(0)
        return ended(task)

    bench = Bench(away, concurrency=16)
    await bench.accept(200)
    await bench.until(FINISHED)
    tried_in_vain = len(bench.delivery.seen) - 200
    assert tried_in_vain < away_until / 60 * 1.2 + 40
    assert all(task.attempts == 1 for task in bench.store.kept.values())


async def test_a_paused_client_is_asked_by_one_task_after_a_growing_wait() -> None:
    spent = Outcome(State.REFUSED, 429, reason="the spend limit is reached", action="pause")
    calls = 0

    async def called(task: Task) -> Change:
        nonlocal calls
        entered = breaker.enter()
        if isinstance(entered, Outcome):
            return ended(task, WAITING, due=bench.clock() + breaker.rests, uncounted=True)
        calls += 1
        await asyncio.sleep(0)
        outcome = spent if bench.clock() < 1000 + 600 else Outcome(State.DONE, 200)
        breaker.record(entered, outcome)
        if outcome.ok:
            return ended(task)
        return ended(task, WAITING, due=bench.clock() + breaker.rests, uncounted=True)

    bench = Bench(called, concurrency=16)
    breaker = bench.delivery.breaker = TargetBreaker(bench.delivery_timing)
    await bench.accept(100)
    await bench.until(FINISHED)
    # what was under way when the client paused, then one after 1, 2, 4, 8, 16, 32, 60, 60 ... seconds
    assert calls - 100 <= 16 + 6 + 12
    assert all(task.attempts == 1 for task in bench.store.kept.values())


async def test_a_route_of_lower_priority_keeps_one_place_while_others_have_more_to_do() -> None:
    bench = Bench(concurrency=8, is_yielding=lambda: len(bench.delivery.seen) < 50)
    most = 0

    async def watched(task: Task) -> Change:
        nonlocal most
        if len(bench.delivery.seen) < 50:
            most = max(most, bench.delivery.under_way)
        return await at_once(task)

    bench.delivery.does = watched
    await bench.accept(100)
    await bench.until(FINISHED)
    assert most == 1
    assert bench.delivery.most == 8
