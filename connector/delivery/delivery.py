"""Delivery of one route's tasks: what is to be committed of each attempt."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Sequence
from dataclasses import replace
from typing import Protocol

from connector.delivery.aggregate import Aggregation
from connector.delivery.answers import Responses
from connector.delivery.attempt import RouteContext, TaskAttempt
from connector.delivery.batch import BatchAccumulator, BatchDelivery
from connector.delivery.batch.attempt import BatchAttempt, release_lines
from connector.delivery.context import DeliveryContext, TargetBreaker
from connector.delivery.deadlines.choice import MOVED_UP, Choice
from connector.delivery.deadlines.ladder import BATCH_NAME, FLEX
from connector.delivery.deadlines.plan import TransportPlan
from connector.delivery.new_tasks import DocumentTasks, intake_of, is_gone
from connector.delivery.route_spec import BATCH, GATHERED, RouteSpec, route_spec
from connector.delivery.transports import WINDOW, target_of
from connector.engine import Change, Settlement, Task, TaskState
from connector.errors import ConfigurationError
from connector.http.policy import Actor, Pause
from connector.transform.context import Locks

__all__ = ["Delivery", "TaskHandler"]

BATCHES_AT_ONCE = 2
"""Batches that are written, or whose answers are read, at a time; any number of them may be under way elsewhere."""


class TaskHandler(Protocol):
    """Makes one attempt at a leased task."""

    @property
    def concurrency(self) -> int:
        """How many tasks may be under way."""
        ...

    @property
    def paused(self) -> Pause | None:
        """Why nothing can be delivered now."""
        ...

    @property
    def rests(self) -> float:
        """The seconds until another attempt is worth it."""
        ...

    async def attempt(self, task: Task) -> Change:
        """Make one attempt and return the change to commit."""
        ...


class Delivery:
    """Delivers the tasks of a route, or of one that a route implies.

    Args:
        shared: what all routes of a process share.
        name: the route.
    """

    def __init__(self, shared: DeliveryContext, name: str) -> None:
        runtime = shared.runtime
        self._shared = shared
        self._spec = route_spec(runtime, name)
        settings, to = self._spec.settings, self._spec.outgoing
        client = getattr(self._spec.writer.parameters, "client", None)
        self.clients: tuple[str, ...] = (client,) if isinstance(client, str) else ()
        """The clients whose rest is the route's."""
        self._resting: set[str] = set()
        """Whom chains could not call: their rest is the route's while it lasts."""
        for one in self.clients:
            runtime.client(one)
        self._choices: dict[int, Choice] = {}
        """What was chosen for tasks that go by calls of their own."""
        self._by_transport: dict[str, RouteContext] = {}
        self._budget = shared.budget(self._spec.route)
        target = target_of(runtime, self._spec) if _transports(self._spec) else None
        context = replace(
            self._spec.context(runtime),
            on_unknown=settings.on_unknown or (None if self._spec.is_intake else to.on_unknown),
            timeout=to.flex.timeout if target is not None and to.transport == "flex" else None,
        )
        self._route = RouteContext(
            shared=shared,
            spec=self._spec,
            responses=Responses(runtime, self._spec, shared.redact),
            context=context,
            locks=Locks(),
            target=target,
            intake=intake_of(shared, self._spec),
            budget=self._budget,
            window=self._spec.window,
        )
        self._carrying: Aggregation | BatchAccumulator | None = None
        self._plan = (
            TransportPlan(shared, self._spec, target.path)
            if target is not None and to.transport == "batch" and settings.has_deadline
            else None
        )
        if self._spec.batches:
            self._carrying = BatchAccumulator(self._route, self._plan.deadline if self._plan is not None else None)
        elif self._spec.gathers:
            self._carrying = Aggregation(self._route)
        is_batch = name.endswith(BATCH) and target is not None
        self._shipping = (
            BatchDelivery(self._route, target.client, target.path, self._plan) if target and is_batch else None
        )

    @property
    def concurrency(self) -> int:
        """How many tasks may be under way."""
        if self._shipping is not None:
            return BATCHES_AT_ONCE
        return self._spec.settings.concurrency or self._spec.outgoing.concurrency

    @property
    def paused(self) -> Pause | None:
        """Why nothing can be delivered now: a client rests, or the budget is used up."""
        found = next((pause for breaker in self._breakers if (pause := breaker.pause) is not None), None)
        if found is None and self._budget is not None and self._budget.known_rest and not self._budget.waits_for_calls:
            return Pause(self._budget.reason, Actor.USER, None)
        return found

    @property
    def rests(self) -> float:
        """The seconds until it is worth trying again."""
        budget = self._budget.known_rest if self._budget is not None else 0.0
        return max([budget, *(breaker.rests for breaker in self._breakers)])

    async def attempt(self, task: Task) -> Change:
        """Make one attempt; return the change to commit."""
        if self._shipping is not None:
            return await self._shipping.attempt(task)
        if self._budget is not None:
            await self._budget.rests()
        paused = self.paused
        if paused is not None and (rests := self.rests):
            due = self._shared.wall() + rests
            reason = self._shared.redact.text(paused.reason)
            return Change(
                settle=[
                    Settlement(
                        task=task.id,
                        state=TaskState.WAITING,
                        reason=reason,
                        due=due,
                        uncounted=True,
                        who=paused.who,
                    )
                ]
            )
        intake = self._route.intake
        if isinstance(intake, DocumentTasks) and is_gone(task):
            return await intake.gone(task)
        attempt: TaskAttempt = TaskAttempt(self._route, task)
        if self._spec.batches:
            attempt = BatchAttempt(self._route_by(task), *release_lines(task, self._shared.wall()))
        change = await attempt.change()
        if self._plan is not None and self._spec.batches:
            self._tell(task, change, self._plan)
        self._resting.update(seen.target for seen in attempt.journal.failures if seen.target)
        return change

    @property
    def gathers(self) -> bool:
        """Whether its tasks go on as one: then they are carried, not attempted."""
        return self._carrying is not None

    async def pick_single(self, tasks: Sequence[Task]) -> Sequence[Task]:
        """Return those of the tasks that go by calls of their own, since a batch would answer them too late."""
        if self._plan is None or not self._spec.batches:
            return ()
        await self._plan.refresh()
        now, single = self._shared.wall(), list[Task]()
        for task in tasks:
            choice = self._plan.choose(task, now, len(self._choices))
            self._shared.observer.metrics.transports.add((self._spec.route, choice.transport.name))
            if choice.transport.name != BATCH_NAME:
                single.append(task)
                self._choices[task.id] = choice
        return single

    async def carry(self, tasks: Sequence[Task]) -> Change:
        """Take tasks on; what is to be committed of those that are complete. The others stay leased until then."""
        return await self._gathering.take(tasks)

    @property
    def carry_due(self) -> float | None:
        """When those that wait must go, by the monotonic clock; None while none waits or time does not matter."""
        return self._gathering.due

    async def carry_rest(self) -> Change:
        """Let those go that wait for others."""
        return await self._gathering.rest()

    async def carry_abandon(self, lost: Collection[int]) -> Change:
        """Give back what waits for others, since some of these tasks are another worker's now."""
        return await self._gathering.abandon(lost)

    def _route_by(self, task: Task) -> RouteContext:
        """Return the route as a task goes by it: with the transport that was chosen for it."""
        to = self._spec.outgoing
        if self._plan is None or task.id not in self._choices:
            return self._route
        # It has waited for its place, and less time is left than when it was picked.
        choice = self._plan.choose_single(task, self._shared.wall(), len(self._choices))
        self._choices[task.id] = choice
        name = choice.transport.name
        if name not in self._by_transport:
            timeout = to.flex.timeout if name == FLEX else self._route.context.timeout
            self._by_transport[name] = replace(
                self._route,
                transport=name,
                window=name.removeprefix(WINDOW) if name.startswith(WINDOW) else None,
                context=replace(self._route.context, timeout=timeout),
            )
        return self._by_transport[name]

    def _tell(self, task: Task, change: Change, plan: TransportPlan) -> None:
        """Say of a task that has ended why it went as it did, and count whether it was in time."""
        choice = self._choices.pop(task.id, None)
        plan.count_end(task, change)
        if choice is not None:
            moved = task.reason if task.reason.startswith(MOVED_UP) else ""
            change.settle = [
                replace(one, reason="; ".join(part for part in (one.reason, moved, choice.reason) if part))
                if one.state is TaskState.FINISHED
                else one
                for one in change.settle
            ]

    async def close(self) -> None:
        """Close what its publishers have open."""
        await asyncio.gather(*(writer.writes.finish() for writer in self._spec.writers))

    @property
    def _breakers(self) -> list[TargetBreaker]:
        return [self._shared.breakers.of(one) for one in (*self.clients, *self._resting)]

    @property
    def _gathering(self) -> Aggregation | BatchAccumulator:
        if self._carrying is None:
            raise ConfigurationError(f"route {self._spec.name!r} gathers nothing")
        return self._carrying


def _transports(route_spec: RouteSpec) -> bool:
    """Return whether requests go another way than as single calls; what publishes answers makes single calls."""
    if route_spec.is_intake:
        return False
    return route_spec.outgoing.transport != "single" and route_spec.name.endswith((route_spec.route, GATHERED, BATCH))
