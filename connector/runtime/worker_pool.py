"""The workers of a run: one for each route, and one for each route that it implies."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING

from connector.delivery.call_records import describe_repeats, find_doubtful, list_calls
from connector.delivery.context import DeliveryContext
from connector.delivery.delivery import Delivery
from connector.delivery.route_spec import BATCH, implied_routes, is_intake, parent_of
from connector.engine import Change, Settlement, Store, Task, TaskState
from connector.http.policy import Pause
from connector.intake.dead_letters import DeadLetters, Reread
from connector.resilience import Backoff
from connector.runtime.collector import Collector
from connector.runtime.context import WorkerContext, guard
from connector.runtime.worker import Worker
from connector.timing import SYSTEM, Timing

if TYPE_CHECKING:
    from connector.config.models import Route

__all__ = ["FailureHandler", "WorkerPool"]


class FailureHandler:
    """Decides what becomes of a task whose attempt ended with an unexpected error, or took too long.

    Args:
        store: where its calls are.
        settings: the route's.
        redact: hides secrets.
        wall: seconds since 1970.
        timing: chance, for the wait.
    """

    def __init__(
        self,
        store: Store,
        settings: Route,
        redact: Callable[[str], str],
        wall: Callable[[], float],
        timing: Timing = SYSTEM,
    ) -> None:
        self._store = store
        self._settings = settings
        self._redact = redact
        self._wall = wall
        self._timing = timing

    async def __call__(self, task: Task, error: Exception) -> Change:
        """Return the change to commit: another attempt later, or the end; what may have taken effect is unknown."""
        reason = self._redact(f"the attempt broke off: {error or type(error).__name__}")
        settings = self._settings
        if task.attempts < settings.attempts:
            backoff = Backoff(settings.retry_delay, settings.max_delay)
            delay = backoff.delay(task.attempts - 1, self._timing.chance())
            settled = Settlement(task=task.id, state=TaskState.WAITING, reason=reason, due=self._wall() + delay)
            return Change(settle=[settled])
        known = await self._store.task(task.id) or task
        doubts = find_doubtful(known.calls, known.retried)
        parts = [
            reason,
            f"may have taken effect: {list_calls(doubts)}" if doubts else "",
            describe_repeats(known.calls, known.retried),
        ]
        state = TaskState.UNKNOWN if doubts else TaskState.FAILED
        settled = Settlement(task=task.id, state=state, reason="; ".join(part for part in parts if part))
        return Change(settle=[settled])


class WorkerPool:
    """All workers of this process.

    Args:
        shared: what all deliveries share.
        context: what all workers share.
        routes: the configured routes that run.
        has_more: whether a route, by its name, may still get documents.
        fleet: whether other processes work on the same routes.
    """

    def __init__(
        self,
        shared: DeliveryContext,
        context: WorkerContext,
        routes: Sequence[str],
        has_more: Callable[[str], bool],
        *,
        fleet: bool,
    ) -> None:
        self._shared = shared
        self._context = context
        self._has_more = has_more
        self._fleet = fleet
        self._deliveries: list[Delivery] = []
        self.workers: Mapping[str, Worker | Collector] = {
            name: self._make_worker(name)
            for route in routes
            for name in (route, *implied_routes(shared.runtime, route))
        }
        lowest = min(self._settings(name).priority for name in self.workers)
        self._prioritized = [
            (priority, worker)
            for name, worker in self.workers.items()
            if (priority := self._settings(name).priority) > lowest
        ]

    def notify(self, change: Change) -> None:
        """Wake the workers for which a change has tasks."""
        for task in change.accept:
            self._wake(task.route)
        for carried in change.carry:
            self._wake(carried.carrier.route)

    def wake(self) -> None:
        """Wake all workers: another process may have changed something."""
        for worker in self.workers.values():
            worker.wake()

    def hold(self, pauses: Mapping[str, Pause]) -> None:
        """Hold the workers of paused routes, those of implied ones too, and let all others go on."""
        for name, worker in self.workers.items():
            worker.hold(pauses.get(parent_of(name)[0]))

    def recheck(self) -> None:
        """Let workers go on that wait for what others do: those that gather, and those of lower priority."""
        for worker in self.workers.values():
            worker.recheck()

    @property
    def is_idle(self) -> bool:
        """Whether no worker has anything to do now."""
        return all(worker.is_idle for worker in self.workers.values())

    def names_of(self, route: str) -> list[str]:
        """Return a configured route and those that it implies."""
        return [name for name in self.workers if parent_of(name)[0] == route]

    def is_busy(self, route: str) -> bool:
        """Return whether tasks of a configured route, or of one that it implies, are worked on."""
        return any(not self.workers[name].is_idle for name in self.names_of(route))

    def is_taking_on(self, route: str) -> bool:
        """Return whether documents that were read for a configured route are still made into tasks."""
        return any(not self.workers[name].is_idle for name in self.names_of(route) if is_intake(name))

    @property
    def paused(self) -> Mapping[str, Pause]:
        """The routes that wait for a person or the network."""
        return {name: pause for name, worker in self.workers.items() if (pause := worker.paused) is not None}

    @property
    def leased(self) -> Sequence[int]:
        """The tasks that this process has."""
        return [task for worker in self.workers.values() for task in worker.leased]

    async def abandon(self, tasks: Collection[int]) -> None:
        """Cancel tasks that another worker has now."""
        for worker in self.workers.values():
            await worker.abandon(tasks)

    def start(self) -> list[asyncio.Task[None]]:
        """Start all workers and return their tasks."""
        return [asyncio.create_task(guard(worker.run(), self._context.on_error)) for worker in self.workers.values()]

    def stop(self) -> None:
        """Lease no more; what is under way comes to its end."""
        for worker in self.workers.values():
            worker.stop()

    async def close(self) -> None:
        """Close what deliveries have open."""
        for delivery in self._deliveries:
            await delivery.close()

    def _wake(self, route: str) -> None:
        worker = self.workers.get(route)
        if worker is not None:
            worker.wake()

    def _make_worker(self, name: str) -> Worker | Collector:
        shared, context, settings = self._shared, self._context, self._settings(name)
        delivery = Delivery(shared, name)
        self._deliveries.append(delivery)
        on_failure = FailureHandler(context.store, settings, shared.redact.text, context.wall, context.timing)
        is_configured = name in shared.runtime.configuration.routes
        again = Reread(shared.runtime, parent_of(name)[0], shared.storages)
        unread = DeadLetters(delivery, again) if is_configured or delivery.gathers else None
        if unread is not None and delivery.gathers:
            has_more = partial(self._has_more, name)
            return Collector(name, delivery, context, unread=unread, on_failure=on_failure, has_more=has_more)
        is_batch = name.endswith(BATCH)
        return Worker(
            name,
            delivery,
            context,
            on_failure=on_failure,
            unread=unread.attempt if unread is not None else None,
            is_yielding=lambda: self._is_saturated_above(settings.priority),
            limit=delivery.concurrency if self._fleet and not is_batch else 0,
            deadline=None if is_batch else settings.deadline,
        )

    def _settings(self, name: str) -> Route:
        return self._shared.runtime.configuration.routes[parent_of(name)[0]]

    def _is_saturated_above(self, priority: int) -> bool:
        return any(worker.is_saturated for above, worker in self._prioritized if above > priority)
