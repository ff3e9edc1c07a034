"""Tasks that go on together: gathered by the route's `aggregate`, carried by one task, and settled with it.

A task is carried by the first one that holds a document of its own; what else its chain made of it goes on by itself.
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace

from connector.delivery.attempt import RouteContext, TaskAttempt
from connector.delivery.call_records import NOTES
from connector.delivery.new_tasks import IN_ORDER
from connector.delivery.route_spec import GATHERED
from connector.engine import Carrier, Change, NewTask, Settlement, Task, TaskState
from connector.errors import ConfigurationError, ConnectorError
from connector.model import JSON
from connector.pipeline.chains import Gatherer, Group
from connector.pipeline.decisions import AttemptEnded

__all__ = ["Aggregation", "TaskQueue", "merge_change"]


@dataclass(slots=True)
class Member:
    """A task that waits for others, and what its chains keep once it goes on with them."""

    task: Task
    records: dict[tuple[str, str], JSON] = field(default_factory=dict[tuple[str, str], JSON])
    note: str = ""
    """The notes on its calls that every end of its group must show."""
    carried: bool = False


class TaskQueue:
    """Takes tasks one after the other, and collects what to commit for them."""

    def __init__(self) -> None:
        self._lock = asyncio.Lock()

    async def take(self, tasks: Sequence[Task]) -> Change:
        """Take tasks and return the change to commit: what is complete now, and the tasks that do not go on."""
        change = Change()
        async with self._lock:
            for task in tasks:
                await self._take(task, change)
        return change

    async def _take(self, task: Task, change: Change) -> None:
        raise NotImplementedError


class Aggregation(TaskQueue):
    """Gathers the documents of a route's tasks."""

    def __init__(self, route: RouteContext) -> None:
        super().__init__()
        action = route.spec.chain.gather
        if action is None:
            raise ConfigurationError(f"route {route.spec.name!r} gathers nothing")
        self._route = route
        self._gatherer = Gatherer[Member](action, route.shared.runtime.chained)

    @property
    def due(self) -> float | None:
        """When what was gathered must go, by the monotonic clock."""
        return self._gatherer.due

    async def rest(self) -> Change:
        """Return what was gathered, complete or not."""
        change = Change()
        async with self._lock:
            self._add_carriers(self._gatherer.rest(), change)
        return change

    async def abandon(self, lost: Collection[int]) -> Change:
        """Give back what was gathered, since some of these tasks are another worker's now."""
        async with self._lock:
            held = {member.task.id for member in self._gatherer.waiting if not member.carried} - set(lost)
            self._gatherer.clear()
        return Change(settle=[Settlement(task=task, state=TaskState.WAITING, uncounted=True) for task in sorted(held)])

    async def _take(self, task: Task, change: Change) -> None:
        attempt, member = TaskAttempt(self._route, task), Member(task)
        try:
            groups = self._gatherer.take(member, await attempt.before())
        except (AttemptEnded, ConnectorError) as error:
            ended = error if isinstance(error, AttemptEnded) else AttemptEnded(TaskState.FAILED, str(error))
            merge_change(change, await attempt.settle(ended))
            return
        merge_change(change, attempt.calls())
        member.records, member.note = attempt.records(), attempt.notes
        self._add_carriers(groups, change)

    def _add_carriers(self, groups: Sequence[Group[Member]], change: Change) -> None:
        for group in groups:
            members, document = group.sources, group.document
            fresh = list({member.task.id: member for member in members if not member.carried}.values())
            first = members[0].task
            carrier = self._make_carrier(first, document)
            notes = {member.task.id: f"task {member.task.id}: {member.note}" for member in members if member.note}
            if notes:
                change.records = {**change.records, (NOTES, str(first.id)): {"notes": [*notes.values()]}}
            if not fresh:
                change.accept = [*change.accept, carrier]
                continue
            change.carry = [*change.carry, Carrier(carrier=carrier, members=[member.task.id for member in fresh])]
            for member in fresh:
                member.carried = True
                change.records = {**change.records, **member.records}

    def _make_carrier(self, first: Task, document: JSON) -> NewTask:
        """Return the task in which others go on; what was read is known by the first of them."""
        spec = self._route.spec
        carrier = NewTask(
            route=spec.name + GATHERED, document=document, unique="no", trace=first.trace, source=first.id
        )
        if not spec.is_intake:
            return carrier
        order = IN_ORDER if spec.settings.order is not None else ""
        return replace(carrier, key=first.key, version=first.version, order=order)


def merge_change(change: Change, other: Change) -> None:
    """Put one change into another."""
    change.accept = [*change.accept, *other.accept]
    change.intend = [*change.intend, *other.intend]
    change.end = [*change.end, *other.end]
    change.settle = [*change.settle, *other.settle]
    change.lines = [*change.lines, *other.lines]
    change.spent = [*change.spent, *other.spent]
    change.reserve = [*change.reserve, *other.reserve]
    change.records = {**change.records, **other.records}
