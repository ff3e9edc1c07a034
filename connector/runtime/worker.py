"""The worker of one route: it leases tasks in groups, keeps a bounded number under way, and commits each end."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Collection, Sequence
from typing import TYPE_CHECKING

from connector.delivery.delivery import TaskHandler
from connector.engine import Change, Fenced, Settlement, StoreBroken, Task, TaskState, failpoints
from connector.model import is_object
from connector.pipeline.results import ERROR
from connector.resilience import AdaptiveConcurrency, Backoff
from connector.runtime.context import MAX_SLEEP, LeaseLoop, TaskSlots, WorkerContext

if TYPE_CHECKING:
    from connector.http.policy import Pause

__all__ = ["Worker"]

MAX_PREFETCH = 64
"""Tasks that are leased at most before there is a slot for them, so that no slot is empty meanwhile."""
PROBES = Backoff(1.0, 60.0)
"""The delays between two probes while the upstream is away."""
MAX_FAILURES = 8
"""After this many tasks in a row that could not be tried, the upstream counts as away."""

log = logging.getLogger(__name__)


class Worker(LeaseLoop):
    """Delivers the tasks of one route.

    Args:
        route: whose tasks.
        handler: makes the attempts.
        context: what the workers of a process share.
        on_failure: makes the change to commit for a task whose attempt ended with an unexpected error.
        unread: makes the attempts at tasks whose documents hold an error.
        is_yielding: whether a route of higher priority has more to do than it has slots for.
        limit: the most that all workers of a fleet may have under way; 0 for a process that works alone.
        deadline: seconds after which an attempt is cancelled.
    """

    def __init__(
        self,
        route: str,
        handler: TaskHandler,
        context: WorkerContext,
        *,
        on_failure: Callable[[Task, Exception], Awaitable[Change]],
        unread: Callable[[Task], Awaitable[Change]] | None = None,
        is_yielding: Callable[[], bool] = lambda: False,
        limit: int = 0,
        deadline: float | None = None,
    ) -> None:
        super().__init__(route, context)
        self._handler = handler
        self._unread = unread or handler.attempt
        self._on_failure = on_failure
        self._is_yielding = is_yielding
        self._has_yielded = False
        self._limit = limit
        self._deadline = deadline
        self._concurrency = AdaptiveConcurrency(handler.concurrency, PROBES, MAX_FAILURES, context.timing.clock)
        self._prefetch = min(handler.concurrency // 4, MAX_PREFETCH)
        self._slots = TaskSlots(self._deliver, self._on_free, context.on_error)
        self._settling: set[int] = set()

    @property
    def paused(self) -> Pause | None:
        """Why nothing can be delivered now."""
        return self._pause or self._handler.paused

    @property
    def rests(self) -> float:
        """The seconds until another attempt is worth it."""
        handler = self._handler.rests if self._handler.paused is not None else 0.0
        return max(self._concurrency.remaining, handler)

    @property
    def is_idle(self) -> bool:
        """Whether nothing is under way, and nothing can be leased now."""
        can_start = bool(self._slots.ready) and self.paused is None and not self.rests
        return self._is_sleeping and not self._slots.running and not can_start and not self._wake.is_set()

    @property
    def is_saturated(self) -> bool:
        """Whether there is more to do than there are slots for."""
        return self._has_more and self.paused is None and self._slots.running >= self._concurrency.limit

    @property
    def leased(self) -> Sequence[int]:
        """The tasks that this worker has."""
        return self._slots.task_ids

    def recheck(self) -> None:
        """Go on if it has yielded to a route that has free slots again."""
        if self._has_yielded and not self._is_yielding():
            self._wake.set()

    async def abandon(self, tasks: Collection[int]) -> None:
        """Cancel those of these tasks that it has: another worker has them now."""
        # The commit tells about those that are being settled at this moment.
        mine = set(tasks).intersection(self.leased) - self._settling
        for task in sorted(mine):
            log.warning("task %d of route %r is broken off: another worker has it now", task, self.route)
        self._slots.cancel(mine)
        self.waits.forget(tasks)

    async def run(self) -> None:
        """Work until it is stopped and what was under way has ended; cancelled, it cancels that too."""
        try:
            while not self._is_stopping:
                self._wake.clear()
                if not await self._lease():
                    await self._sleep(self._seconds_to_sleep())
            await self._release(self._slots.drain())
            await self._slots.join()
        finally:
            await self._slots.close()

    async def _lease(self) -> bool:
        """Lease as many tasks as there is room for, and return whether there may be more at once."""
        allowed = self._allowed()
        count = self._vacancies(allowed) if self._pause is None else 0
        self._slots.add((), allowed)
        if self._pause is not None:
            await self._release(self._slots.drain())
        if not count:
            return False
        self._has_more = False  # before asking, so that what comes meanwhile is not missed
        self._due = None
        store, limit = self._context.store, self._limit
        tasks = await self._context.space.run(lambda: store.lease(self.route, count, limit=limit))
        if len(tasks) < count:
            self._due = await store.next_due(self.route)
        else:
            self._has_more = True
        failpoints.reach("worker.leased")
        self._slots.add(tasks, allowed)
        return bool(tasks)

    def _allowed(self) -> int:
        """Return how many tasks may be under way now."""
        if self._handler.paused is not None:
            self._concurrency.shrink()
        if self.rests or self._pause is not None:
            return 0
        self._has_yielded = self._is_yielding()
        return 1 if self._has_yielded else self._concurrency.limit

    def _vacancies(self, allowed: int) -> int:
        """Return how many tasks may be leased now; none while the group would be too small to be worth it."""
        self._check_due()
        running, ready = self._slots.running, self._slots.ready
        prefetch = self._prefetch if allowed > 1 else 0
        if not self._has_more or ready > prefetch // 2 or (not prefetch and running >= allowed):
            return 0
        return max(allowed + prefetch - running - ready, 0)

    def _seconds_to_sleep(self) -> float | None:
        """Return when there may be something to do; None when only a wake-up can tell."""
        if self._pause is not None:
            return None
        rests = self.rests
        waits = [min(rests, MAX_SLEEP)] if rests else []
        if self._due is not None and not self._has_more:
            waits.append(self._seconds_until_due(self._due))
        return max(waits) if waits else None

    def _on_free(self) -> None:
        if not self._slots.running or (self._has_more and self._slots.ready <= self._prefetch // 2):
            self._wake.set()

    async def _deliver(self, task: Task) -> None:
        try:
            change = await self._attempt(task)
            self._settling.add(task.id)
            failpoints.reach("worker.settle.before")
            await self._context.commit(change)
            failpoints.reach("worker.settle.committed")
        except StoreBroken:
            raise
        except Fenced as fenced:
            log.warning("task %d of route %r is left to another worker: %s", task.id, self.route, fenced)
            return
        finally:
            self._settling.discard(task.id)
        for settled in change.settle:
            self._context.observer.metrics.count_attempt(self.route, settled.state)
            self._record(task, settled)

    async def _attempt(self, task: Task) -> Change:
        deadline = self._deadline
        if deadline is None:
            return await self._attempt_in_span(task)
        try:
            async with asyncio.timeout(deadline):
                return await self._attempt_in_span(task)
        except TimeoutError:
            return await self._on_failure(task, TimeoutError(f"it took longer than the deadline of {deadline:g} s"))

    async def _attempt_in_span(self, task: Task) -> Change:
        observer = self._context.observer
        attempt = self._unread if is_object(task.document) and ERROR in task.document else self._handler.attempt
        try:
            if not observer.is_tracing:
                return await attempt(task)
            with observer.task_span(self.route, task.id, attempt=task.attempts, traceparent=task.trace):
                return await attempt(task)
        except (Fenced, StoreBroken):
            raise
        except Exception as error:
            log.exception("task %d of route %r broke off", task.id, self.route)
            return await self._on_failure(task, error)

    def _record(self, task: Task, settled: Settlement) -> None:
        """Take up what the end of an attempt means for the next ones."""
        self.waits.record(settled)
        if task.order:
            self._has_more = True  # the next one of its order key
        if settled.state is TaskState.WAITING:
            self._due = settled.due if self._due is None else min(self._due, settled.due)
        if settled.state is TaskState.WAITING and settled.uncounted:
            self._concurrency.record_failure()
            self._slots.resize(self._allowed())
        elif self._concurrency.record_success():
            self._slots.resize(self._allowed())
            self._wake.set()

    async def _release(self, tasks: Sequence[Task]) -> None:
        if tasks:
            back = [Settlement(task=task.id, state=TaskState.WAITING, uncounted=True) for task in tasks]
            await self._context.commit(Change(settle=back))
