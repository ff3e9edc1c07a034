"""The worker of a route that gathers: it leases tasks, keeps them until there are enough, and carries them together."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Collection, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Protocol

from connector.engine import Change, Fenced, Settlement, StoreBroken, Task, TaskState
from connector.intake.dead_letters import DeadLetters, is_dead_letter
from connector.runtime.context import LeaseLoop, TaskSlots, WorkerContext

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

    @property
    def concurrency(self) -> int:
        """How many tasks that go by themselves may be under way."""
        ...

    async def pick_single(self, tasks: Sequence[Task]) -> Sequence[Task]:
        """Return those of the tasks that do not wait for others."""
        ...

    async def attempt(self, task: Task) -> Change:
        """Make one attempt at a task that does not wait for others; return the change to commit."""
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
        self._slots = TaskSlots(self._deliver, self.wake, context.on_error)
        """What goes by itself."""

    @property
    def paused(self) -> Pause | None:
        """Why nothing can be gathered now."""
        return self._pause

    @property
    def is_idle(self) -> bool:
        """Whether nothing is held, and nothing can be leased now."""
        busy = self._held or self._slots.running or self._slots.ready
        return self._is_sleeping and not busy and not self._wake.is_set()

    @property
    def leased(self) -> Sequence[int]:
        """The tasks that wait for others, and those that go by themselves."""
        return [*self._held, *self._slots.task_ids]

    def recheck(self) -> None:
        """Let go of what is held if nothing more comes that it could wait for."""
        if self._held and not self._has_more_documents():
            self._wake.set()

    async def abandon(self, tasks: Collection[int]) -> None:
        """Give back everything it has if some of it is another worker's now."""
        self._slots.cancel(set(tasks).intersection(self._slots.task_ids))
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
            await self._release_ready()
            await self._slots.join()
        except Exception as error:  # noqa: BLE001  every error must end the run
            self._context.on_error(error)
        finally:
            await self._slots.close()

    async def _lease(self) -> bool:
        """Lease and gather tasks, and return whether there may be more at once."""
        self._check_due()
        if self._pause is not None:
            await self._give_all_back()
        if not self._has_more or self._pause is not None or self._slots.ready:
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
        single = {task.id for task in await self._gatherer.pick_single(documents)}
        self._slots.add([self._held.pop(task) for task in single], self._gatherer.concurrency)
        if gathered := [task for task in documents if task.id not in single]:
            await self._gather(gathered)
        return bool(tasks)

    async def _deliver(self, task: Task) -> None:
        """Attempt a task that goes by itself, and commit its end."""
        try:
            change = await self._attempt(task)
            await self._context.commit(change)
        except StoreBroken:
            raise
        except Fenced as fenced:
            log.warning("task %d of route %r is left to another worker: %s", task.id, self.route, fenced)
            return
        for settled in change.settle:
            self.waits.record(settled)
            self._context.observer.metrics.count_attempt(self.route, settled.state)
            if settled.state is TaskState.WAITING:
                self._due = settled.due if self._due is None else min(self._due, settled.due)

    async def _attempt(self, task: Task) -> Change:
        try:
            with self._context.observer.task_span(self.route, task.id, attempt=task.attempts, traceparent=task.trace):
                return await self._gatherer.attempt(task)
        except (Fenced, StoreBroken):
            raise
        except Exception as error:
            log.exception("task %d of route %r broke off", task.id, self.route)
            return await self._on_failure(task, error)

    async def _release_ready(self) -> None:
        """Give back what waits for a slot."""
        if ready := self._slots.drain():
            await self._context.commit(Change(settle=[_give_back(task.id) for task in ready]))

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
        """Give back what waits: it is gathered anew when the route goes on."""
        await self._release_ready()
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
