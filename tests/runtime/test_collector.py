"""Tasks that a route gathers: kept until there are enough, given back when that cannot be; none blocks the others."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Sequence
from typing import Any

import pytest

from connector.engine import Carrier, Change, NewTask, Settlement, Task, TaskState
from connector.engine.commits import Committer
from connector.http.policy import Actor, Pause
from connector.intake.dead_letters import dead_letter
from connector.runtime.collector import Collector
from connector.runtime.context import WorkerContext
from connector.timing import Timing
from tests.runtime.kit import until
from tests.runtime.memory import MemoryStore

ROUTE = "many"


class Store(MemoryStore):
    """Also carries: members are no longer leased then."""

    def __init__(self) -> None:
        super().__init__()
        self.carried: list[list[int]] = []

    async def commit(self, change: Change) -> Any:
        committed = await super().commit(Change(accept=change.accept, settle=change.settle))
        for carried in change.carry:
            self.carried.append(list(carried.members))
            for member in carried.members:
                del self.holders[member]
        return committed


class Gathering:
    """Lets tasks go in groups of so many."""

    def __init__(self, size: int) -> None:
        self.size = size
        self.waiting: list[Task] = []
        self.carry_due: float | None = None
        self.poison: set[int] = set()
        self.single: set[int] = set()

    concurrency = 4

    async def pick_single(self, tasks: Sequence[Task]) -> Sequence[Task]:
        return [task for task in tasks if task.id in self.single]

    async def attempt(self, task: Task) -> Change:
        return Change(settle=[Settlement(task=task.id, state=TaskState.FINISHED)])

    async def carry(self, tasks: Sequence[Task]) -> Change:
        for task in tasks:
            if task.id in self.poison:
                raise ZeroDivisionError("poison")
            self.waiting.append(task)
        change = Change()
        while len(self.waiting) >= self.size:
            change.carry = [*change.carry, self._group(self.size)]
        return change

    async def carry_rest(self) -> Change:
        return Change(carry=[self._group(len(self.waiting))]) if self.waiting else Change()

    async def carry_abandon(self, lost: Collection[int]) -> Change:
        held = [task.id for task in self.waiting if task.id not in lost]
        self.waiting.clear()
        return Change(settle=[Settlement(task=task, state=TaskState.WAITING, uncounted=True) for task in held])

    def _group(self, size: int) -> Carrier:
        members, self.waiting = self.waiting[:size], self.waiting[size:]
        return Carrier(carrier=NewTask(route="x", document=None), members=[task.id for task in members])


class Bench:
    def __init__(self, size: int = 4) -> None:
        self.store = Store()
        self.gathering = Gathering(size)
        self.more = True
        self.rests = 0
        self.errors: list[BaseException] = []
        self.clock = 0.0
        commits = Committer(self.store, lambda _: None)
        context = WorkerContext(
            store=self.store,
            commit=commits,
            on_idle=self._rested,
            on_error=self.errors.append,
            timing=Timing(clock=lambda: self.clock, sleep=self._sleep),
        )
        self.collector = Collector(
            ROUTE, self.gathering, context, unread=self, on_failure=self._rescue, has_more=lambda: self.more  # type: ignore[arg-type]
        )  # fmt: skip

    async def attempt(self, task: Task) -> Change:
        return Change(settle=[Settlement(task=task.id, state=TaskState.FAILED, reason="unread")])

    async def _rescue(self, task: Task, error: Exception) -> Change:
        return Change(settle=[Settlement(task=task.id, state=TaskState.FAILED, reason=str(error))])

    async def _sleep(self, seconds: float) -> None:
        await asyncio.sleep(0)
        self.clock += seconds

    def _rested(self) -> None:
        self.rests += 1

    async def accept(self, *documents: Any) -> None:
        await self.store.commit(Change(accept=[NewTask(route=ROUTE, document=document) for document in documents]))
        self.collector.wake()

    async def rested(self) -> None:
        before = self.rests
        await until(lambda: self.rests > before)

    def carried(self) -> list[int]:
        return sorted(member for members in self.store.carried for member in members)


@pytest.fixture
async def bench() -> Any:
    made = Bench()
    run = asyncio.create_task(made.collector.run())
    yield made
    made.collector.stop()
    await run
    assert made.errors == []
    assert made.store.holders == {}


async def test_groups_go_when_they_are_full_and_the_rest_when_nothing_more_comes(bench: Bench) -> None:
    await bench.accept(*range(10))
    await bench.rested()
    assert [len(members) for members in bench.store.carried] == [4, 4]
    assert len(bench.collector.leased) == 2
    assert not bench.collector.is_idle
    bench.more = False
    bench.collector.recheck()
    await bench.rested()
    assert bench.carried() == list(range(1, 11))
    assert bench.collector.is_idle


async def test_the_rest_goes_when_its_time_has_come(bench: Bench) -> None:
    bench.gathering.carry_due = 5.0
    await bench.accept(1)
    await until(lambda: bench.carried() == [1])
    assert bench.clock >= 5.0
    bench.gathering.carry_due = None


async def test_what_waits_is_given_back_at_a_stop(bench: Bench) -> None:
    await bench.accept(1, 2)
    await bench.rested()
    bench.collector.stop()
    await until(lambda: not bench.store.holders)
    assert [task.state for task in bench.store.kept.values()] == [TaskState.WAITING] * 2


async def test_when_one_is_another_workers_the_others_are_gathered_anew(bench: Bench, caplog: Any) -> None:
    await bench.accept(1, 2, 3)
    await bench.rested()
    bench.store.holders[2] = "another"
    await bench.collector.abandon(await bench.store.renew_leases(bench.collector.leased))
    await bench.rested()
    assert sorted(bench.collector.leased) == [1, 3]
    del bench.store.holders[2]
    assert "gathers anew" in caplog.text


async def test_a_poison_task_fails_alone(bench: Bench, caplog: Any) -> None:
    bench.gathering.poison = {3}
    await bench.accept(*range(6))
    await until(lambda: bench.store.kept[3].state is TaskState.FAILED)
    bench.more = False
    bench.collector.recheck()
    await until(lambda: bench.carried() == [1, 2, 4, 5, 6])
    assert bench.store.kept[3].reason == "poison"


async def test_documents_that_could_not_be_read_are_not_gathered(bench: Bench) -> None:
    await bench.accept(dead_letter({"a": 1}, "broken"), 2, 3, 4, 5)
    await bench.rested()
    assert bench.carried() == [2, 3, 4, 5]
    assert bench.store.kept[1].state is TaskState.FAILED


async def test_what_is_held_is_given_back_while_somebody_pauses_the_route(bench: Bench) -> None:
    await bench.accept(1, 2, 3)
    await bench.rested()
    assert len(bench.collector.leased) == 3
    bench.collector.hold(Pause("paused", Actor.USER, None))
    await bench.rested()
    assert bench.collector.leased == []
    assert bench.store.holders == {}
    assert bench.collector.paused is not None
    bench.collector.hold(None)
    await bench.rested()
    await bench.accept(4)
    await until(lambda: bench.carried() == [1, 2, 3, 4])


async def test_what_goes_by_itself_does_not_wait_for_others(bench: Bench) -> None:
    bench.gathering.single = {2, 3}
    await bench.accept("a", "b", "c", "d", "e", "f")
    await until(lambda: bench.carried() == [1, 4, 5, 6])
    await until(lambda: not bench.collector.leased)
    found = {task: (await bench.store.task(task)).state for task in (2, 3)}  # type: ignore[union-attr]
    assert found == {2: TaskState.FINISHED, 3: TaskState.FINISHED}
    assert bench.errors == []
