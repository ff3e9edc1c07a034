"""The worker of a route that gathers: it leases tasks, keeps them until there are enough, and carries them together."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Collection, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Protocol

from connector.engine import Change, Fenced, Settlement, StoreBroken, Task, TaskState
from connector.intake.dead_letters import DeadLetters, is_dead_letter
from connector.runtime.context import LeaseLoop, WorkerContext

if TYPE_CHECKING:
    from connector.http.policy import Pause

__all__ = ["Collector", "TaskGatherer"]

GROUP_SIZE = 500
"""Tasks that are leased at a time at most."""

log = logging.getLogger(__name__)


class TaskGatherer(Protocol):
    """Takes leased tasks and decides which of them go on together."""

    @property
    def carry_due(self) -> float | None:
        """When those that wait must go, by the monotonic clock."""
        ...

    async def carry(self, tasks: Sequence[Task]) -> Change:
        """Take tasks and return the change to commit for those that are complete."""
        ...

    async def carry_rest(self) -> Change:
        """Let those go that wait for others."""
        ...

    async def carry_abandon(self, lost: Collection[int]) -> Change:
        """Give back what waits for others, except tasks that are lost."""
        ...


class Collector(LeaseLoop):
    """Gathers the tasks of one route.

    Args:
        route: whose tasks.
        gatherer: what gathers them.
        context: what the workers of a process share.
        unread: ends tasks whose documents could not be read.
        on_failure: makes the change to commit for a task at which gathering ended with an unexpected error.
        has_more: whether the route may still get documents.
    """

    is_saturated = False
    rests = 0.0

    def __init__(
        self,
        route: str,
        gatherer: TaskGatherer,
        context: WorkerContext,
        *,
        unread: DeadLetters,
        on_failure: Callable[[Task, Exception], Awaitable[Change]],
        has_more: Callable[[], bool],
    ) -> None:
        super().__init__(route, context)
        self._gatherer = gatherer
        self._unread = unread
        self._on_failure = on_failure
        self._has_more_documents = has_more
        self._one_by_one = 0
        """How many tasks are still taken one by one, since one of them breaks the others."""
        self._held: dict[int, Task] = {}

    @property
    def paused(self) -> Pause | None:
        """Why nothing can be gathered now."""
        return self._pause

    @property
    def is_idle(self) -> bool:
        """Whether nothing is held, and nothing can be leased now."""
        return self._is_sleeping and not self._held and not self._wake.is_set()

    @property
    def leased(self) -> Sequence[int]:
        """The tasks that wait for others."""
        return [*self._held]

    def recheck(self) -> None:
        """Let go of what is held if nothing more comes that it could wait for."""
        if self._held and not self._has_more_documents():
            self._wake.set()

    async def abandon(self, tasks: Collection[int]) -> None:
        """Give back everything it has if some of it is another worker's now."""
        lost = self._held.keys() & set(tasks)
        if lost and self._is_sleeping:  # else what is being committed may have ended them
            log.warning("route %r gathers anew: another worker has %d of its tasks now", self.route, len(lost))
            await self._commit(await self._gatherer.carry_abandon(lost))
            self._held.clear()
            self.wake()

    async def run(self) -> None:
        """Work until it is stopped, and give back what waits for others then."""
        try:
            while not self._is_stopping:
                self._wake.clear()
                if not await self._lease():
                    await self._release_due()
                    await self._sleep(self._seconds_to_sleep())
            await self._commit(await self._gatherer.carry_abandon(()))
        except Exception as error:  # noqa: BLE001  every error must end the run
            self._context.on_error(error)

    async def _lease(self) -> bool:
        """Lease and gather tasks, and return whether there may be more at once."""
        self._check_due()
        if self._pause is not None:
            await self._give_all_back()
        if not self._has_more or self._pause is not None:
            return False
        self._has_more = False
        store = self._context.store
        count = 1 if self._one_by_one else GROUP_SIZE
        tasks = await self._context.space.run(lambda: store.lease(self.route, count))
        self._has_more = self._has_more or len(tasks) == count
        self._due = await store.next_due(self.route)
        self._held |= {task.id: task for task in tasks}
        for task in tasks:
            if is_dead_letter(task.document):
                await self._commit(await self._unread.attempt(task))
        documents = [task for task in tasks if not is_dead_letter(task.document)]
        if documents:
            await self._gather(documents)
        return bool(tasks)

    async def _gather(self, tasks: Sequence[Task]) -> None:
        try:
            change = await self._gatherer.carry(tasks)
        except (Fenced, StoreBroken):
            raise
        except Exception as error:
            log.exception("route %r broke off while it gathered; its tasks are taken one by one now", self.route)
            await self._start_over(tasks if len(tasks) == 1 else (), error)
        else:
            await self._commit(change)
            self._one_by_one = max(self._one_by_one - 1, 0)
            # Many may wait for long: the gatherer knows what it needs of their documents.
            light = (replace(task, document=None, calls=()) for task in tasks if task.id in self._held)
            self._held |= {task.id: task for task in light}

    async def _start_over(self, poison: Sequence[Task], error: Exception) -> None:
        """Give everything back, except a task that is known to be the one that breaks it."""
        known = {task.id for task in poison}
        change = await self._gatherer.carry_abandon(known)
        given_back = {settled.task for settled in change.settle}
        left = [task for task in self._held if task not in given_back | known]
        change.settle = [*change.settle, *(_give_back(task) for task in left)]
        self._held = {task.id: task for task in poison}
        await self._context.commit(change)
        for task in poison:
            await self._commit(await self._on_failure(task, error))
        self._held.clear()
        self._one_by_one = 0 if poison else GROUP_SIZE
        self.wake()

    async def _release_due(self) -> None:
        """Let go of what is held when its time has come, or when nothing more comes that it could wait for."""
        due = self._gatherer.carry_due
        is_due = due is not None and due <= self._context.timing.clock()
        if self._held and (not self._has_more_documents() or is_due):
            await self._commit(await self._gatherer.carry_rest())

    async def _give_all_back(self) -> None:
        """Give back what waits for others: it is gathered anew when the route goes on."""
        if self._held:
            await self._commit(await self._gatherer.carry_abandon(()))
            self._held.clear()

    async def _commit(self, change: Change) -> None:
        try:
            await self._context.commit(change)
        except StoreBroken:
            raise
        except Fenced as fenced:
            log.warning("route %r gathers anew: %s", self.route, fenced)
            lost = await self._context.store.renew_leases([*self._held])
            await self._context.commit(await self._gatherer.carry_abandon(lost))
            self._held.clear()
            self.wake()
            return
        for settled in change.settle:
            self._held.pop(settled.task, None)
            self.waits.record(settled)
            self._context.observer.metrics.count_attempt(self.route, settled.state)
        for carried in change.carry:
            for member in carried.members:
                self._held.pop(member, None)

    def _seconds_to_sleep(self) -> float | None:
        if self._pause is not None:
            return None
        due, waits = self._gatherer.carry_due, list[float]()
        if self._held and due is not None:
            waits.append(max(due - self._context.timing.clock(), 0.001))
        if self._due is not None:
            waits.append(self._seconds_until_due(self._due))
        return min(waits) if waits else None


def _give_back(task: int) -> Settlement:
    return Settlement(task=task, state=TaskState.WAITING, uncounted=True)
