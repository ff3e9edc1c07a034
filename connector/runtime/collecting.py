"""The tasks of a route that gathers: leased, kept until there are enough of them, and carried on together."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Collection, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Protocol

from connector.aio.events import wait_for_event
from connector.engine import Change, Fenced, Settlement, StoreBroken, Task, TaskState
from connector.routes.reading.unread import Unread, is_unread
from connector.runtime.floor import LONGEST_SLEEP, Floor
from connector.runtime.held import Held

if TYPE_CHECKING:
    from connector.http.tries import Pause

__all__ = ["Collector", "Gathers"]

GROUP = 500
"""At most so many tasks are leased at a time."""


def _back(task: int) -> Settlement:
    return Settlement(task=task, state=TaskState.WAITING, uncounted=True)


log = logging.getLogger(__name__)


class Gathers(Protocol):
    """What takes leased tasks and says which of them go on together."""

    @property
    def carry_due(self) -> float | None:
        """When those that wait must go, by the monotonic clock."""
        ...

    async def carry(self, tasks: Sequence[Task]) -> Change:
        """What is to be committed of those that are complete."""
        ...

    async def carry_rest(self) -> Change:
        """Lets those go that wait for others."""
        ...

    async def carry_abandon(self, lost: Collection[int]) -> Change:
        """Gives back what waits for others."""
        ...


class Collector:
    """Gathers the tasks of one route.

    Args:
        route: whose tasks.
        delivery: what gathers them.
        floor: what the workers of a process share.
        unread: what takes tasks to their end of which no document could be read.
        rescue: what is to be committed of a task at which gathering broke off with an error that nobody expected.
        more_comes: whether whatever gives the route its documents is still at it.
    """

    paused: Pause | None = None
    crowded = False
    rests = 0.0

    def __init__(
        self,
        route: str,
        delivery: Gathers,
        floor: Floor,
        *,
        unread: Unread,
        rescue: Callable[[Task, Exception], Awaitable[Change]],
        more_comes: Callable[[], bool],
    ) -> None:
        self.route = route
        self._delivery = delivery
        self._floor = floor
        self._unread = unread
        self._rescue = rescue
        self._more_comes = more_comes
        self._careful = 0
        """How many tasks are still taken one by one, since one of them breaks the others."""
        self._held: dict[int, Task] = {}
        self._wake = asyncio.Event()
        self._more = True
        self._due: float | None = None
        self._stopping = False
        self._sleeping = False
        self.held = Held()
        """What its tasks wait for."""

    @property
    def idle(self) -> bool:
        """Whether nothing is held, and nothing can be leased now."""
        return self._sleeping and not self._held and not self._wake.is_set()

    @property
    def leased(self) -> Sequence[int]:
        """The tasks that wait for others."""
        return [*self._held]

    def wake(self) -> None:
        """Says that there may be something to lease."""
        self._more = True
        self._wake.set()

    def look(self) -> None:
        """Says that it may have changed whether more comes."""
        if self._held and not self._more_comes():
            self._wake.set()

    async def abandon(self, tasks: Collection[int]) -> None:
        """Gives back what it has: some of it is another worker's now."""
        lost = self._held.keys() & set(tasks)
        if lost and self._sleeping:  # else what is being committed may have ended them
            log.warning("route %r gathers anew: another worker has %d of its tasks now", self.route, len(lost))
            await self._commit(await self._delivery.carry_abandon(lost))
            self._held.clear()
            self.wake()

    def stop(self) -> None:
        """Leases no more; what waits for others is given back."""
        self._stopping = True
        self._wake.set()

    async def run(self) -> None:
        """Works until it is stopped."""
        try:
            while not self._stopping:
                self._wake.clear()
                if not await self._filled():
                    await self._let_go()
                    await self._sleep()
            await self._commit(await self._delivery.carry_abandon(()))
        except Exception as error:  # noqa: BLE001  whatever it is, the run is told
            self._floor.broken(error)

    async def _filled(self) -> bool:
        """Leases what there is; whether there may be more at once."""
        if self._due is not None and self._due <= self._floor.wall():
            self._more = True
        if not self._more:
            return False
        self._more = False
        store = self._floor.store
        most = 1 if self._careful else GROUP
        tasks = await self._floor.waits.until_done(lambda: store.lease(self.route, most))
        self._more = self._more or len(tasks) == most
        self._due = await store.next_due(self.route)
        self._held |= {task.id: task for task in tasks}
        for task in tasks:
            if is_unread(task.document):
                await self._commit(await self._unread.attempt(task))
        documents = [task for task in tasks if not is_unread(task.document)]
        if documents:
            await self._carry(documents)
        return bool(tasks)

    async def _carry(self, tasks: Sequence[Task]) -> None:
        try:
            change = await self._delivery.carry(tasks)
        except (Fenced, StoreBroken):
            raise
        except Exception as error:
            log.exception("route %r broke off while it gathered; its tasks are taken one by one now", self.route)
            await self._begin_anew(tasks if len(tasks) == 1 else (), error)
        else:
            await self._commit(change)
            self._careful = max(self._careful - 1, 0)
            # Many may wait for long: what takes them knows what it needs of their documents.
            light = (replace(task, document=None, calls=()) for task in tasks if task.id in self._held)
            self._held |= {task.id: task for task in light}

    async def _begin_anew(self, poison: Sequence[Task], error: Exception) -> None:
        """Gives everything back, but for a task that is known to be the one that breaks it."""
        known = {task.id for task in poison}
        change = await self._delivery.carry_abandon(known)
        given_back = {settled.task for settled in change.settle}
        left = [task for task in self._held if task not in given_back | known]
        change.settle = [*change.settle, *(_back(task) for task in left)]
        self._held = {task.id: task for task in poison}
        await self._floor.commits(change)
        for task in poison:
            await self._commit(await self._rescue(task, error))
        self._held.clear()
        self._careful = 0 if poison else GROUP
        self.wake()

    async def _let_go(self) -> None:
        """What waits goes when its time has come, or when nothing more comes that it could wait for."""
        due = self._delivery.carry_due
        if self._held and (not self._more_comes() or (due is not None and due <= self._floor.timing.clock())):
            await self._commit(await self._delivery.carry_rest())

    async def _commit(self, change: Change) -> None:
        try:
            await self._floor.commits(change)
        except StoreBroken:
            raise
        except Fenced as fenced:
            log.warning("route %r gathers anew: %s", self.route, fenced)
            await self._floor.commits(
                await self._delivery.carry_abandon(await self._floor.store.renew_leases([*self._held]))
            )
            self._held.clear()
            self.wake()
            return
        for settled in change.settle:
            self._held.pop(settled.task, None)
            self.held.note(settled)
            self._floor.attempted(self.route, settled.state, 0.0)
        for carried in change.carry:
            for member in carried.members:
                self._held.pop(member, None)

    async def _sleep(self) -> None:
        self._sleeping = True
        self._floor.rested()
        due, waits = self._delivery.carry_due, list[float]()
        if self._held and due is not None:
            waits.append(max(due - self._floor.timing.clock(), 0.001))
        if self._due is not None:
            waits.append(min(max(self._due - self._floor.wall(), 0.001), LONGEST_SLEEP))
        await wait_for_event(self._wake, min(waits) if waits else None, self._floor.timing)
        self._sleeping = False
