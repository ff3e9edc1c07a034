"""The states of tasks under whatever workers, people and crashes do, beside a model of what must then hold."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Awaitable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from connector.engine import ENDS, Carrier, Change, Filter, Settlement, Store, TaskState
from tests.engine.engines import Engine, Sqlite
from tests.engine.kit import call, end, new

Result = TypeVar("Result")
MEMORY = Path("/dev/shm")
"""Where nothing waits for a disk; crashes of the machine are tried elsewhere."""
FREE = (TaskState.NEW, TaskState.WAITING)


@dataclass
class Kept:
    """What the model knows of a task."""

    route: str
    order: str
    state: TaskState = TaskState.NEW
    due: float = 0.0
    attempts: int = 0
    carrier: int = 0
    members: list[int] = field(default_factory=list)
    calls: list[str] = field(default_factory=list)
    sent: set[int] = field(default_factory=set)
    """The attempts with a call, since somebody last retried it."""
    turn: bool = True

    @property
    def live(self) -> bool:
        return self.state not in ENDS


class Machine(RuleBasedStateMachine):
    """Does to a store and to the model the same."""

    def make(self, folder: Path) -> Engine:
        return Sqlite(folder)

    @initialize()
    def start(self) -> None:
        self.loop = asyncio.new_event_loop()
        self.folder = tempfile.TemporaryDirectory(dir=MEMORY if MEMORY.is_dir() else None)
        self.engine = self.make(Path(self.folder.name))
        self.kept: dict[int, Kept] = {}
        self.keys: dict[tuple[str, str], str] = {}
        self.last = 0
        self.store: Store = self.run(self.engine.open("first"))

    def teardown(self) -> None:
        self.run(self.engine.close())
        self.loop.run_until_complete(self.loop.shutdown_default_executor())
        self.loop.close()
        self.folder.cleanup()

    def run(self, work: Awaitable[Result]) -> Result:
        async def within() -> Result:
            async with asyncio.timeout(20):
                return await work

        return self.loop.run_until_complete(within())

    def of(self, *states: TaskState) -> list[int]:
        return [number for number, task in self.kept.items() if task.state in states]

    def take_turns(self) -> None:
        """Of the free tasks of an order key the oldest has its turn, unless another one is under way."""
        for task in self.kept.values():
            task.turn = not task.order
        orders = {(task.route, task.order) for task in self.kept.values() if task.order and task.live}
        for route, order in orders:
            mine = [task for task in self.kept.values() if (task.route, task.order, task.live) == (route, order, True)]
            if not any(task.state is TaskState.PROCESSING or task.carrier for task in mine):
                mine[0].turn = True

    def leasable(self, route: str) -> list[int]:
        self.take_turns()
        free = [
            (number, task)
            for number, task in sorted(self.kept.items())
            if task.route == route and task.state in FREE and not task.carrier and task.turn
        ]
        return [number for number, task in free if task.due <= self.engine.clock.now]

    @rule(
        given=st.lists(
            st.tuples(
                st.sampled_from("ab"),
                st.sampled_from(["", "k1", "k2"]),
                st.sampled_from("12"),
                st.sampled_from(["", "x"]),
            )
        ),
        later=st.sampled_from([0, 0, 50, -10]),
    )
    def accept(self, given: list[tuple[str, str, str, str]], later: int) -> None:
        due = self.engine.clock.now + later if later else 0.0
        tasks = [
            new({"k": key}, route=r, key=key, version=version, order=order, due=due) for r, key, version, order in given
        ]
        ids = self.run(self.store.commit(Change(accept=tasks))).accepted
        for number, task in zip(ids, tasks, strict=True):
            duplicate = bool(task.key) and self.keys.get((task.route, task.key)) == task.version
            assert duplicate == (number == 0)
            if not duplicate:
                assert number > self.last
                self.last = number
                self.keys[task.route, task.key] = task.version
                state = TaskState.WAITING if later > 0 else TaskState.NEW
                self.kept[number] = Kept(task.route, task.order, state, due)

    @rule(route=st.sampled_from(["a", "b", "batch"]), most=st.integers(1, 4))
    def lease(self, route: str, most: int) -> None:
        possible = self.leasable(route)
        leased = self.run(self.store.lease(route, most))
        assert len(leased) == min(most, len(possible))
        for task in leased:
            assert task.id in possible
            model = self.kept[task.id]
            model.attempts += 1
            model.state = TaskState.PROCESSING
            assert (task.attempts, [one.state for one in task.calls]) == (model.attempts, model.calls)

    @precondition(lambda self: self.of(TaskState.PROCESSING))
    @rule(data=st.data(), ended=st.sampled_from(["", "done", "unknown"]))
    def send(self, data: st.DataObject, ended: str) -> None:
        number = data.draw(st.sampled_from(self.of(TaskState.PROCESSING)))
        task = self.kept[number]
        self.run(self.store.commit(Change(intend=[call(number, task.attempts, len(task.calls))])))
        if ended:
            self.run(self.store.commit(Change(end=[end(number, task.attempts, len(task.calls), ended)])))
        task.calls.append(ended)
        task.sent.add(task.attempts)

    @precondition(lambda self: self.of(TaskState.PROCESSING))
    @rule(data=st.data(), state=st.sampled_from([*sorted(ENDS), TaskState.WAITING]), later=st.sampled_from([0, 30, -5]))
    def settle(self, data: st.DataObject, state: TaskState, later: int) -> None:
        number = data.draw(st.sampled_from(self.of(TaskState.PROCESSING)))
        task = self.kept[number]
        waiting = [member for member in task.members if self.kept[member].carrier == number and self.kept[member].live]
        due = self.engine.clock.now + later if later else 0.0
        uncounted = state is TaskState.WAITING and data.draw(st.booleans())
        carried = state in ENDS and bool(waiting)
        settled = Settlement(task=number, state=state, due=due, uncounted=uncounted, carried=carried)
        self.run(self.store.commit(Change(settle=[settled])))
        task.state, task.due, task.attempts = state, due, task.attempts - uncounted
        for member in waiting if carried else []:
            self.kept[member].state = state

    @precondition(lambda self: len([n for n in self.of(TaskState.PROCESSING) if not self.kept[n].members]) > 0)
    @rule(data=st.data())
    def carry(self, data: st.DataObject) -> None:
        able = [number for number in self.of(TaskState.PROCESSING) if not self.kept[number].members]
        members = data.draw(st.lists(st.sampled_from(able), min_size=1, max_size=3, unique=True))
        committed = self.run(self.store.commit(Change(carry=[Carrier(carrier=new(route="batch"), members=members)])))
        carrier = committed.carriers[0]
        self.last = max(self.last, carrier)
        self.kept[carrier] = Kept("batch", "", members=members)
        for member in members:
            self.kept[member].state, self.kept[member].carrier = TaskState.WAITING, carrier

    @precondition(lambda self: self.kept)
    @rule(data=st.data())
    def retry(self, data: st.DataObject) -> None:
        number = data.draw(st.sampled_from(sorted(self.kept)))
        task = self.kept[number]
        retried = not task.live and not task.members
        assert self.run(self.store.retry(Filter(ids=[number]))) == retried
        if retried:
            task.state, task.due, task.attempts, task.carrier = TaskState.NEW, 0.0, 0, 0
            task.sent.clear()

    @precondition(lambda self: self.kept)
    @rule(data=st.data())
    def skip(self, data: st.DataObject) -> None:
        number = data.draw(st.sampled_from(sorted(self.kept)))
        task = self.kept[number]
        held = task.state is TaskState.PROCESSING or (task.carrier and task.live)
        skipped = not held and task.state not in (TaskState.FINISHED, TaskState.SKIPPED)
        assert self.run(self.store.skip(Filter(ids=[number]), "")) == skipped
        if skipped:
            was_live, task.state = task.live, TaskState.SKIPPED
            for member in task.members if was_live else []:
                if self.kept[member].carrier == number and self.kept[member].live:
                    self.kept[member].state = TaskState.SKIPPED

    @rule(seconds=st.sampled_from([1, 30, 50, -20]))
    def time(self, seconds: int) -> None:
        self.engine.clock.now += seconds

    @rule()
    def crash(self) -> None:
        self.run(self.engine.kill(self.store))
        self.start_again()

    @rule()
    def restart(self) -> None:
        self.run(self.store.close())
        self.start_again()

    def start_again(self) -> None:
        self.store = self.run(self.engine.open("next"))
        for number in self.of(TaskState.PROCESSING):
            task = self.kept[number]
            task.state, task.due = TaskState.WAITING, 0.0
            task.attempts -= task.attempts not in task.sent

    @invariant()
    def everything_is_as_the_model_says(self) -> None:
        if not hasattr(self, "store"):
            return
        tasks = {task.id: task for task in self.run(self.store.tasks(Filter(), limit=10_000))}
        assert {number: task.state for number, task in tasks.items()} == {n: t.state for n, t in self.kept.items()}
        assert {number: task.attempts for number, task in tasks.items()} == {
            n: t.attempts for n, t in self.kept.items()
        }
        counted: dict[str, dict[Any, int]] = {}
        for task in self.kept.values():
            states = counted.setdefault(task.route, {})
            states[task.state] = states.get(task.state, 0) + 1
        assert {route: dict(states) for route, states in self.run(self.store.counts()).items()} == counted


class TestMachine(Machine.TestCase):  # type: ignore[misc, name-defined]  # hypothesis makes it
    settings = settings(
        max_examples=25, stateful_step_count=30, deadline=None, suppress_health_check=[HealthCheck.too_slow]
    )
