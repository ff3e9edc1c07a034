"""Tasks that go on together: gathered by the route's `aggregate`, carried by one task, and settled with it.

A task is carried by the first one that holds a document of its own; what else its chain made of it goes on by itself.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace

from connector.connections.applying import size_of
from connector.engine import Carrier, Change, NewTask, Settlement, Task, TaskState
from connector.errors import ConfigurationError, ConnectorError
from connector.model import JSON
from connector.routes.delivering.attempting import Attempt, Bench
from connector.routes.delivering.declared import GATHERED
from connector.routes.delivering.duplicates import NOTES
from connector.routes.delivering.intake import IN_ORDER
from connector.routes.delivering.standing import Stopped
from connector.transform import Scope
from connector.transform.types import Gather

__all__ = ["Carrying", "add"]


@dataclass(slots=True)
class Member:
    """A task that waits for others, and what its chains keep once it goes on with them."""

    task: Task
    records: dict[tuple[str, str], JSON]
    note: str = ""
    """What must not be silent of its calls, whatever those come to that go with it."""
    carried: bool = False


class Carrying:
    """Gathers the documents of a route's tasks."""

    def __init__(self, bench: Bench) -> None:
        self._bench = bench
        self._begin = _gathering(bench)
        self._gather = self._begin()
        self._waiting: deque[Member] = deque()
        self._one_at_a_time = asyncio.Lock()

    @property
    def due(self) -> float | None:
        """When what was gathered must go, by the monotonic clock."""
        return self._gather.due if self._waiting else None

    async def take(self, tasks: Sequence[Task]) -> Change:
        """What is complete now, and the tasks that do not go on."""
        change = Change()
        async with self._one_at_a_time:
            for task in tasks:
                await self._take(task, change)
        return change

    async def rest(self) -> Change:
        """What was gathered, complete or not."""
        change = Change()
        async with self._one_at_a_time:
            self._go(self._gather.rest(), change)
        return change

    async def abandon(self, lost: Collection[int]) -> Change:
        """Gives back what was gathered, since some of these tasks are another worker's now."""
        async with self._one_at_a_time:
            held = {member.task.id for member in self._waiting if not member.carried} - set(lost)
            self._gather = self._begin()
            self._waiting.clear()
        return Change(settle=[Settlement(task=task, state=TaskState.WAITING, uncounted=True) for task in sorted(held)])

    async def _take(self, task: Task, change: Change) -> None:
        attempt = Attempt(self._bench, task)
        try:
            made = await attempt.before()
            self._try(made)
        except (Stopped, ConnectorError) as error:
            stopped = error if isinstance(error, Stopped) else Stopped(TaskState.FAILED, str(error))
            add(change, await attempt.ended(stopped))
            return
        add(change, attempt.calls())
        member = Member(task, attempt.records(), attempt.notes)
        for document in made:
            self._waiting.append(member)
            self._go(self._gather.take(document), change)

    def _try(self, documents: Sequence[JSON]) -> None:
        """Whether all of a task's documents can be gathered: some of them alone would be half a task."""
        other = self._begin()
        for document in documents:
            other.take(document)

    def _go(self, gathered: Sequence[JSON], change: Change) -> None:
        for document in gathered:
            members = [self._waiting.popleft() for _ in range(size_of(document, len(self._waiting)))]
            fresh = list({member.task.id: member for member in members if not member.carried}.values())
            first = members[0].task
            carrier = self._carrier(first, document)
            told = {member.task.id: f"task {member.task.id}: {member.note}" for member in members if member.note}
            if told:
                change.records = {**change.records, (NOTES, str(first.id)): {"notes": [*told.values()]}}
            if not fresh:
                change.accept = [*change.accept, carrier]
                continue
            change.carry = [*change.carry, Carrier(carrier=carrier, members=[member.task.id for member in fresh])]
            for member in fresh:
                member.carried = True
                change.records = {**change.records, **member.records}

    def _carrier(self, first: Task, document: JSON) -> NewTask:
        """The task in which others go on; what was read is known by the first of them."""
        declared = self._bench.declared
        carrier = NewTask(
            route=declared.name + GATHERED, document=document, unique="no", trace=first.trace, source=first.id
        )
        if not declared.reads:
            return carrier
        order = IN_ORDER if declared.settings.order is not None else ""
        return replace(carrier, key=first.key, version=first.version, order=order)


def _gathering(bench: Bench) -> Callable[[], Gather]:
    """What begins to gather."""
    action = bench.declared.chain.gather
    gather = action.gather if action is not None else None
    if gather is None:
        raise ConfigurationError(f"route {bench.declared.name!r} gathers nothing")
    return lambda: gather(Scope(bench.desk.runtime.chained))


def add(change: Change, other: Change) -> None:
    """Puts one change into another."""
    change.accept = [*change.accept, *other.accept]
    change.intend = [*change.intend, *other.intend]
    change.end = [*change.end, *other.end]
    change.settle = [*change.settle, *other.settle]
    change.lines = [*change.lines, *other.lines]
    change.spent = [*change.spent, *other.spent]
    change.records = {**change.records, **other.records}
