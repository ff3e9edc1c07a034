"""One route's tasks at work: leased in groups, so many under way at a time, each committed when it has ended."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Collection, Sequence
from typing import TYPE_CHECKING, Protocol

from connector.engine import Change, Fenced, Settled, Store, StoreBroken, Task, TaskState
from connector.http.timing import SYSTEM, Timing
from connector.routes.committing import Commits, Waits
from connector.routes.easing import Easing
from connector.routes.places import Places
from connector.routes.waking import woken

if TYPE_CHECKING:
    from connector.http.tries import Pause

__all__ = ["Delivers", "Worker"]

AHEAD = 64
"""At most so many tasks are leased before there is a place for them, so that no place stands empty meanwhile."""
LONGEST_SLEEP = 30.0
"""Seconds after which the wall clock is looked at again, since it may jump."""

log = logging.getLogger(__name__)


class Delivers(Protocol):
    """What takes a leased task to what is to be committed of it."""

    @property
    def concurrency(self) -> int:
        """How many tasks may be under way."""
        ...

    @property
    def paused(self) -> Pause | None:
        """Why nothing can be delivered until somebody has acted."""
        ...

    async def attempt(self, task: Task) -> Change:
        """One attempt; what is to be committed of it."""
        ...


class Worker:
    """Delivers the tasks of one route.

    Args:
        route: whose tasks.
        delivery: what becomes of one.
        store: where they are leased.
        commits: the way in which the ends are committed.
        rested: told when it waits, for whatever reason.
        rescue: what is to be committed of a task whose attempt broke off with an error that nobody expected.
        broken: told of an error after which the run cannot go on.
        wall: seconds since 1970.
    """

    def __init__(
        self,
        route: str,
        delivery: Delivers,
        store: Store,
        commits: Commits,
        *,
        rested: Callable[[], None],
        rescue: Callable[[Task, Exception], Change],
        broken: Callable[[BaseException], None],
        timing: Timing = SYSTEM,
        wall: Callable[[], float] = time.time,
    ) -> None:
        self.route = route
        self._delivery = delivery
        self._store = store
        self._commits = commits
        self._rested = rested
        self._rescue = rescue
        self._timing = timing
        self._wall = wall
        self._waits = Waits(timing)
        self._easing = Easing(delivery.concurrency, timing.clock)
        self._ahead = min(delivery.concurrency // 4, AHEAD)
        self._places = Places(self._deliver, self._ended, broken)
        self._wake = asyncio.Event()
        self._more = True
        self._due: float | None = None
        self._stopping = False
        self._sleeping = False

    @property
    def paused(self) -> Pause | None:
        """Why nothing can be delivered until somebody has acted."""
        return self._delivery.paused

    @property
    def idle(self) -> bool:
        """Whether nothing is under way, and nothing can be leased now."""
        return self._sleeping and not self._places.running and not self._places.ready and not self._wake.is_set()

    @property
    def leased(self) -> Sequence[int]:
        """The tasks that this worker has."""
        return self._places.all

    def wake(self) -> None:
        """Says that there may be something to lease."""
        self._more = True
        self._wake.set()

    def abandon(self, tasks: Collection[int]) -> None:
        """Breaks off those of these tasks that it has: another worker has them now."""
        mine = set(tasks).intersection(self.leased)
        for task in sorted(mine):
            log.warning("task %d of route %r is broken off: another worker has it now", task, self.route)
        self._places.abandon(mine)

    def stop(self) -> None:
        """Leases no more; what is under way comes to its end."""
        self._stopping = True
        self._wake.set()

    async def run(self) -> None:
        """Works until it is stopped, and until what was under way then has ended; cancelled, it breaks off."""
        try:
            while not self._stopping:
                self._wake.clear()
                if not await self._filled():
                    await self._sleep()
            await self._release(self._places.empty())
            await self._places.finished()
        finally:
            await self._places.close()

    async def _filled(self) -> bool:
        """Leases what there is room for; whether there may be more at once."""
        most = self._room()
        self._places.take((), self._easing.allowed)
        if not most:
            return False
        self._more = False  # before asking, so that what comes meanwhile is not missed
        self._due = None
        tasks = await self._waits.until_done(lambda: self._store.lease(self.route, most))
        if len(tasks) < most:
            self._due = await self._store.next_due(self.route)
        else:
            self._more = True
        self._places.take(tasks, self._easing.allowed)
        return bool(tasks)

    def _room(self) -> int:
        """How many tasks may be leased now; none while a group would be too small to be worth it."""
        if self._due is not None and self._due <= self._wall():
            self._more = True
        if self._delivery.paused is not None and self._easing.allowed > 1:
            self._easing.in_vain(paused=True)
        allowed = self._easing.allowed
        running, ready = len(self._places.running), len(self._places.ready)
        ahead = self._ahead if allowed > 1 else 0
        if not self._more or ready > ahead // 2 or (not ahead and running >= allowed):
            return 0
        return max(allowed + ahead - running - ready, 0)

    async def _sleep(self) -> None:
        """Until there may be something to do."""
        self._sleeping = True
        self._rested()
        waits = [self._easing.rests] if self._easing.rests else []
        if self._due is not None and not self._more:
            waits.append(min(max(self._due - self._wall(), 0.001), LONGEST_SLEEP))
        await woken(self._wake, max(waits) if waits else None, self._timing)
        self._sleeping = False

    def _ended(self) -> None:
        if not self._places.running or (self._more and len(self._places.ready) <= self._ahead // 2):
            self._wake.set()

    async def _deliver(self, task: Task) -> None:
        try:
            change = await self._attempted(task)
            await self._commits(change)
        except Fenced as fenced:
            log.warning("task %d of route %r is left to another worker: %s", task.id, self.route, fenced)
            return
        for settled in change.settle:
            self._note(task, settled)

    async def _attempted(self, task: Task) -> Change:
        try:
            return await self._delivery.attempt(task)
        except (Fenced, StoreBroken):
            raise
        except Exception as error:
            log.exception("task %d of route %r broke off", task.id, self.route)
            return self._rescue(task, error)

    def _note(self, task: Task, settled: Settled) -> None:
        if task.order:
            self._more = True  # the next one of its order key
        if settled.state is TaskState.WAITING:
            self._due = settled.due if self._due is None else min(self._due, settled.due)
        if settled.state is TaskState.WAITING and settled.uncounted:
            self._easing.in_vain(paused=self._delivery.paused is not None)
        else:
            self._easing.tried()
        self._places.allowed = self._easing.allowed

    async def _release(self, tasks: Sequence[Task]) -> None:
        if tasks:
            back = [Settled(task=task.id, state=TaskState.WAITING, uncounted=True) for task in tasks]
            await self._commits(Change(settle=back))
