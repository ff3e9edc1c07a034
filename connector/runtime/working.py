"""One route's tasks at work: leased in groups, so many under way at a time, each committed when it has ended."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Collection, Sequence
from typing import TYPE_CHECKING

from connector.aio.events import wait_for_event
from connector.engine import Change, Fenced, Settlement, StoreBroken, Task, TaskState, failpoints
from connector.resilience import AdaptiveConcurrency, Backoff
from connector.routes.reading.places import Places
from connector.runtime.floor import LONGEST_SLEEP, Delivers, Floor
from connector.runtime.held import Held

if TYPE_CHECKING:
    from connector.http.tries import Pause

__all__ = ["Worker"]

AHEAD = 64
"""At most so many tasks are leased before there is a place for them, so that no place stands empty meanwhile."""
PROBES = Backoff(1.0, 60.0)
"""The delays between two probes while the upstream is away."""
PATIENCE = 8
"""So many tasks in a row that could not be tried mean that the upstream is away."""
log = logging.getLogger(__name__)


class Worker:
    """Delivers the tasks of one route.

    Args:
        route: whose tasks.
        delivery: what becomes of one.
        floor: what the workers of a process share.
        rescue: what is to be committed of a task whose attempt broke off with an error that nobody expected.
        steps_back: whether a route that goes first has more to do than it has places for.
        limit: the most that all workers of a fleet may have under way; 0 for a process that works alone.
        deadline: seconds after which an attempt is broken off.
    """

    def __init__(
        self,
        route: str,
        delivery: Delivers,
        floor: Floor,
        *,
        rescue: Callable[[Task, Exception], Awaitable[Change]],
        steps_back: Callable[[], bool] = lambda: False,
        limit: int = 0,
        deadline: float | None = None,
    ) -> None:
        self.route = route
        self._delivery = delivery
        self._floor = floor
        self._rescue = rescue
        self._steps_back = steps_back
        self._stepped_back = False
        self._limit = limit
        self._deadline = deadline
        self._concurrency = AdaptiveConcurrency(delivery.concurrency, PROBES, PATIENCE, floor.timing.clock)
        self._ahead = min(delivery.concurrency // 4, AHEAD)
        self._places = Places(self._deliver, self._ended, floor.broken)
        self._wake = asyncio.Event()
        self._more = True
        self._due: float | None = None
        self._settling: set[int] = set()
        self._stopping = False
        self._sleeping = False
        self.held = Held()
        """What its tasks wait for."""

    @property
    def paused(self) -> Pause | None:
        """Why nothing can be delivered now."""
        return self._delivery.paused

    @property
    def idle(self) -> bool:
        """Whether nothing is under way, and nothing can be leased now."""
        held = bool(self._places.ready) and self.paused is None and not self.rests
        return self._sleeping and not self._places.running and not held and not self._wake.is_set()

    @property
    def crowded(self) -> bool:
        """Whether there is more to do than there are places for."""
        return self._more and self.paused is None and len(self._places.running) >= self._concurrency.limit

    @property
    def leased(self) -> Sequence[int]:
        """The tasks that this worker has."""
        return self._places.all

    def wake(self) -> None:
        """Says that there may be something to lease."""
        self._more = True
        self._wake.set()

    def look(self) -> None:
        """Says that a route that goes first may have places again."""
        if self._stepped_back and not self._steps_back():
            self._wake.set()

    async def abandon(self, tasks: Collection[int]) -> None:
        """Breaks off those of these tasks that it has: another worker has them now."""
        # Of those that are being settled this very moment the commit tells.
        mine = set(tasks).intersection(self.leased) - self._settling
        for task in sorted(mine):
            log.warning("task %d of route %r is broken off: another worker has it now", task, self.route)
        self._places.abandon(mine)
        self.held.forget(tasks)

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
        allowed = self._allowed()
        most = self._room(allowed)
        self._places.take((), allowed)
        if not most:
            return False
        self._more = False  # before asking, so that what comes meanwhile is not missed
        self._due = None
        store, limit = self._floor.store, self._limit
        tasks = await self._floor.waits.until_done(lambda: store.lease(self.route, most, limit=limit))
        if len(tasks) < most:
            self._due = await store.next_due(self.route)
        else:
            self._more = True
        failpoints.reach("worker.leased")
        self._places.take(tasks, allowed)
        return bool(tasks)

    def _allowed(self) -> int:
        """How many tasks may be under way now."""
        if self._delivery.paused is not None:
            self._concurrency.shrink()
        if self.rests:
            return 0
        self._stepped_back = self._steps_back()
        return 1 if self._stepped_back else self._concurrency.limit

    @property
    def rests(self) -> float:
        """The seconds until it is worth trying again."""
        return max(self._concurrency.remaining, self._delivery.rests if self._delivery.paused is not None else 0.0)

    def _room(self, allowed: int) -> int:
        """How many tasks may be leased now; none while a group would be too small to be worth it."""
        if self._due is not None and self._due <= self._floor.wall():
            self._more = True
        running, ready = len(self._places.running), len(self._places.ready)
        ahead = self._ahead if allowed > 1 else 0
        if not self._more or ready > ahead // 2 or (not ahead and running >= allowed):
            return 0
        return max(allowed + ahead - running - ready, 0)

    async def _sleep(self) -> None:
        """Until there may be something to do."""
        self._sleeping = True
        self._floor.rested()
        rests = self.rests
        waits = [min(rests, LONGEST_SLEEP)] if rests else []
        if self._due is not None and not self._more:
            waits.append(min(max(self._due - self._floor.wall(), 0.001), LONGEST_SLEEP))
        await wait_for_event(self._wake, max(waits) if waits else None, self._floor.timing)
        self._sleeping = False

    def _ended(self) -> None:
        if not self._places.running or (self._more and len(self._places.ready) <= self._ahead // 2):
            self._wake.set()

    async def _deliver(self, task: Task) -> None:
        began = time.perf_counter()
        try:
            change = await self._attempted(task)
            self._settling.add(task.id)
            failpoints.reach("worker.settle.before")
            await self._floor.commits(change)
            failpoints.reach("worker.settle.committed")
        except StoreBroken:
            raise
        except Fenced as fenced:
            log.warning("task %d of route %r is left to another worker: %s", task.id, self.route, fenced)
            return
        finally:
            self._settling.discard(task.id)
        seconds = time.perf_counter() - began
        for settled in change.settle:
            self._floor.attempted(self.route, settled.state, seconds)
            self._note(task, settled)

    async def _attempted(self, task: Task) -> Change:
        deadline = self._deadline
        if deadline is None:
            return await self._guarded(task)
        try:
            async with asyncio.timeout(deadline):
                return await self._guarded(task)
        except TimeoutError:
            return await self._rescue(task, TimeoutError(f"it took longer than the deadline of {deadline:g} s"))

    async def _guarded(self, task: Task) -> Change:
        span = self._floor.span
        try:
            if span is None:
                return await self._delivery.attempt(task)
            with span(self.route, task):
                return await self._delivery.attempt(task)
        except (Fenced, StoreBroken):
            raise
        except Exception as error:
            log.exception("task %d of route %r broke off", task.id, self.route)
            return await self._rescue(task, error)

    def _note(self, task: Task, settled: Settlement) -> None:
        self.held.note(settled)
        if task.order:
            self._more = True  # the next one of its order key
        if settled.state is TaskState.WAITING:
            self._due = settled.due if self._due is None else min(self._due, settled.due)
        if settled.state is TaskState.WAITING and settled.uncounted:
            self._concurrency.record_failure()
            self._places.allowed = self._allowed()
        elif self._concurrency.record_success():
            self._places.allowed = self._allowed()
            self._wake.set()

    async def _release(self, tasks: Sequence[Task]) -> None:
        if tasks:
            back = [Settlement(task=task.id, state=TaskState.WAITING, uncounted=True) for task in tasks]
            await self._floor.commits(Change(settle=back))
