"""Tasks that go on together: gathered by the route's `aggregate`, carried by one task, and settled with it.

A task is carried by the first one that holds a document of its own; what else its chain made of it goes on by itself.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace

from connector.delivery.attempt import RouteContext, TaskAttempt
from connector.delivery.call_records import NOTES
from connector.delivery.new_tasks import IN_ORDER
from connector.delivery.route_spec import GATHERED
from connector.engine import Carrier, Change, NewTask, Settlement, Task, TaskState
from connector.errors import ConfigurationError, ConnectorError
from connector.model import JSON
from connector.pipeline.chains import count_members
from connector.pipeline.decisions import AttemptEnded
from connector.transform import Scope
from connector.transform.types import Gather

__all__ = ["Aggregation", "merge_change"]


@dataclass(slots=True)
class Member:
    """A task that waits for others, and what its chains keep once it goes on with them."""

    task: Task
    records: dict[tuple[str, str], JSON]
    note: str = ""
    """What must not be silent of its calls, whatever those come to that go with it."""
    carried: bool = False


class Aggregation:
    """Gathers the documents of a route's tasks."""

    def __init__(self, route: RouteContext) -> None:
        self._route = route
        self._begin = _gathering(route)
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
        attempt = TaskAttempt(self._route, task)
        try:
            made = await attempt.before()
            self._try(made)
        except (AttemptEnded, ConnectorError) as error:
            stopped = error if isinstance(error, AttemptEnded) else AttemptEnded(TaskState.FAILED, str(error))
            merge_change(change, await attempt.settle(stopped))
            return
        merge_change(change, attempt.calls())
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
            members = [self._waiting.popleft() for _ in range(count_members(document, len(self._waiting)))]
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
        spec = self._route.spec
        carrier = NewTask(
            route=spec.name + GATHERED, document=document, unique="no", trace=first.trace, source=first.id
        )
        if not spec.is_intake:
            return carrier
        order = IN_ORDER if spec.settings.order is not None else ""
        return replace(carrier, key=first.key, version=first.version, order=order)


def _gathering(route: RouteContext) -> Callable[[], Gather]:
    """What begins to gather."""
    action = route.spec.chain.gather
    gather = action.gather if action is not None else None
    if gather is None:
        raise ConfigurationError(f"route {route.spec.name!r} gathers nothing")
    return lambda: gather(Scope(route.shared.runtime.chained))


def merge_change(change: Change, other: Change) -> None:
    """Puts one change into another."""
    change.accept = [*change.accept, *other.accept]
    change.intend = [*change.intend, *other.intend]
    change.end = [*change.end, *other.end]
    change.settle = [*change.settle, *other.settle]
    change.lines = [*change.lines, *other.lines]
    change.spent = [*change.spent, *other.spent]
    change.records = {**change.records, **other.records}
