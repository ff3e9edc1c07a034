"""Batches that fill up: each task's lines are kept at once, and go on together when there are enough of them."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection
from dataclasses import dataclass, field

from connector.delivery.aggregate import TaskQueue, merge_change
from connector.delivery.attempt import RouteContext, TaskAttempt
from connector.delivery.batch.attempt import NEEDED, BatchAttempt, TaskLines, release_lines
from connector.delivery.route_spec import BATCH
from connector.delivery.transports import has_begun
from connector.engine import BudgetExceeded, Carrier, Change, NewTask, Settlement, Task, TaskState
from connector.http.policy import Actor
from connector.model import JSON
from connector.pipeline.decisions import AttemptEnded

__all__ = ["BatchAccumulator"]

MOST_INPUTS = 50_000
"""Texts that one batch of embeddings takes."""


@dataclass(slots=True)
class PendingBatch:
    """Tasks that wait for others of their model; of their lines only the size is remembered."""

    began: float
    lines: int = 0
    bytes: int = 0
    inputs: int = 0
    needed: float = math.inf
    """When the first of its answers is needed."""
    members: list[Task] = field(default_factory=list[Task])
    records: dict[tuple[str, str], JSON] = field(default_factory=dict[tuple[str, str], JSON])


class BatchAccumulator(TaskQueue):
    """Gathers the tasks of a route into batches.

    Args:
        deadline: when the answer to a task is needed, in seconds since 1970.
    """

    def __init__(self, route: RouteContext, deadline: Callable[[Task], float] | None = None) -> None:
        super().__init__()
        self._route = route
        self._deadline = deadline
        self._limits = route.spec.outgoing.batch
        self._clock = route.shared.timing.clock
        self._bins: dict[str, PendingBatch] = {}

    @property
    def due(self) -> float | None:
        """The time by which the oldest line must go, by the monotonic clock."""
        return min((one.began + self._limits.age for one in self._bins.values()), default=None)

    async def rest(self) -> Change:
        """Release the batches whose time has come, or all of them when there are none."""
        change, now = Change(), self._clock()
        async with self._lock:
            late = [model for model, one in self._bins.items() if one.began + self._limits.age <= now]
            for model in late or [*self._bins]:
                self._carry(model, change)
        return change

    async def abandon(self, lost: Collection[int]) -> Change:
        """Give back what waits for others, since some of these tasks are another worker's now."""
        async with self._lock:
            held = {task.id for one in self._bins.values() for task in one.members} - set(lost)
            self._bins.clear()
        return Change(settle=[Settlement(task=task, state=TaskState.WAITING, uncounted=True) for task in sorted(held)])

    async def _take(self, task: Task, change: Change) -> None:
        shared = self._route.shared
        budget = self._route.budget
        rests = await budget.rests() if budget is not None else 0.0
        if budget is not None and rests:
            reason, due = budget.reason, shared.wall() + rests
            settled = Settlement(task=task.id, state=TaskState.WAITING, reason=reason, due=due, uncounted=True)
            change.settle = [*change.settle, settled]
            return
        if has_begun(task):
            merge_change(change, await TaskAttempt(self._route, task).change())
            return
        attempt = BatchAttempt(self._route, *release_lines(task, shared.wall()))
        try:
            lines = await attempt.lines()
        except AttemptEnded as stopped:
            merge_change(change, await attempt.settle(stopped))
            return
        if lines is None:
            merge_change(change, await attempt.conclude())
            return
        why = self._too_much(lines)
        if why:
            merge_change(change, await attempt.settle(AttemptEnded(TaskState.FAILED, why)))
            return
        try:
            await attempt.journal.reserve_lines(lines.calls)
        except BudgetExceeded as full:
            merge_change(change, attempt.calls())
            self._wait_for_budget(task, full, change)
            return
        merge_change(change, attempt.calls())
        self._add(task, lines, attempt.records(), change)

    def _wait_for_budget(self, task: Task, full: BudgetExceeded, change: Change) -> None:
        """Let a task wait whose lines are likely to use more than what is left."""
        budget = self._route.budget
        if budget is None:
            raise full
        reason = budget.note_exceeded(full)
        due = self._route.shared.wall() + budget.known_rest
        who = "" if budget.waits_for_calls else Actor.USER
        settled = Settlement(task=task.id, state=TaskState.WAITING, reason=reason, due=due, uncounted=True, who=who)
        change.settle = [*change.settle, settled]

    def _too_much(self, lines: TaskLines) -> str:
        limits = self._limits
        if lines.bytes > limits.bytes or lines.count > limits.count or lines.inputs > MOST_INPUTS:
            size = f"{lines.count} requests of {lines.bytes:,} bytes with {lines.inputs:,} inputs"
            most = f"{limits.count:,} requests, {limits.bytes:,} bytes and {MOST_INPUTS:,} inputs"
            return f"it makes {size}; one batch takes {most}: split its document, or raise `batch` where it is lower"
        return ""

    def _add(self, task: Task, lines: TaskLines, records: dict[tuple[str, str], JSON], change: Change) -> None:
        limits, one = self._limits, self._bins.get(lines.model)
        if one is not None and (
            one.lines + lines.count > limits.count
            or one.bytes + lines.bytes > limits.bytes
            or one.inputs + lines.inputs > MOST_INPUTS
        ):
            self._carry(lines.model, change)
            one = None
        if one is None:
            one = self._bins[lines.model] = PendingBatch(self._clock())
        one.lines, one.bytes, one.inputs = one.lines + lines.count, one.bytes + lines.bytes, one.inputs + lines.inputs
        # A batch that fills up for hours holds no documents in memory: they and their lines are on disk.
        one.members.append(Task(id=task.id, route=task.route, document=None, state=task.state, trace=task.trace))
        one.records |= records
        if self._deadline is not None:
            one.needed = min(one.needed, self._deadline(task))
        if one.lines >= limits.count or one.bytes >= limits.bytes:
            self._carry(lines.model, change)

    def _carry(self, model: str, change: Change) -> None:
        one = self._bins.pop(model)
        first, spec = one.members[0], self._route.spec
        said: dict[str, JSON] = {"model": model, "requests": one.lines, "bytes": one.bytes}
        if not math.isinf(one.needed):
            said[NEEDED] = one.needed
        carrier = NewTask(route=spec.route + BATCH, document=said, trace=first.trace, source=first.id)
        carried = Carrier(carrier=carrier, members=[task.id for task in one.members])
        change.carry = [*change.carry, carried]
        change.records = {**change.records, **one.records}
