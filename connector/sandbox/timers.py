"""Timers that outlive a restart, the loop that waits for the earliest of them, and the scheduler that runs them."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import suppress
from contextvars import ContextVar
from dataclasses import dataclass, replace
from heapq import heapify, heappop, heappush
from itertools import count

from connector.sandbox.ids import IdSource
from connector.sandbox.object_store import ObjectStore

__all__ = ["Scheduler", "Timer", "TimerLoop", "TimerQueue"]

LONGEST_WAIT = 0.25
"""Seconds after which the clock is read again, since it need not be this machine's."""

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Timer:
    """An object that changes its state, and the moment when it does."""

    kind: str
    id: str
    parent: str
    due: float
    id_seed: str = ""
    """The seed of the ids that are created when it runs."""
    turn: int = 0
    """How often it has run."""

    @property
    def name(self) -> str:
        return f"{self.kind}/{self.parent}/{self.id}"


class TimerQueue:
    """Timers by the moment they are due; a look costs the same however many wait."""

    def __init__(self, objects: ObjectStore, name: str) -> None:
        self._objects = objects
        self._kind = f"sandbox {name}"
        self._order = count()
        self._waiting = [(timer.due, next(self._order), timer) for timer in self._stored_timers()]
        heapify(self._waiting)

    @property
    def due(self) -> float | None:
        """The moment at which the next timer is due, if any waits."""
        return self._waiting[0][0] if self._waiting else None

    def add(self, timer: Timer) -> None:
        """Add a timer; it replaces an earlier one of the same object."""
        row = {"kind": timer.kind, "parent": timer.parent, "due": timer.due, "names": timer.id_seed, "turn": timer.turn}
        self._objects.put(self._kind, {**row, "id": timer.name, "of": timer.id})
        heappush(self._waiting, (timer.due, next(self._order), timer))

    def pop_due(self, now: float) -> Timer | None:
        """Return the earliest timer that is due; until `add` or `remove` a restart finds it again."""
        while self._waiting and self._waiting[0][0] <= now:
            timer = heappop(self._waiting)[2]
            row = self._objects.get(self._kind, timer.name)
            if row is not None and row["due"] == timer.due:  # else it was removed, or added again for another moment
                return timer
        return None

    def remove(self, timer: Timer) -> None:
        """Remove a timer that has run for the last time."""
        self._objects.delete(self._kind, timer.name)

    def _stored_timers(self) -> Iterator[Timer]:
        for row in self._objects.all(self._kind):
            yield Timer(row["kind"], row["of"], row["parent"], row["due"], row["names"], row["turn"])


class TimerLoop:
    """A task that calls `work` whenever the seconds that `wait` returns have passed, and after every `wake`."""

    def __init__(self, work: Callable[[], Awaitable[None]], wait: Callable[[], float | None]) -> None:
        self._work = work
        self._wait = wait
        self._woken = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Start the task."""
        self._task = asyncio.create_task(self._run())

    def wake(self) -> None:
        """Call `work` now."""
        self._woken.set()

    async def stop(self) -> None:
        """Cancel the task."""
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task
            self._task = None

    async def _run(self) -> None:
        while True:
            self._woken.clear()
            try:
                await self._work()
            except Exception:
                log.exception("a process of the sandbox failed; the others go on")
            wait = self._wait()
            with suppress(TimeoutError):
                async with asyncio.timeout(None if wait is None else min(max(wait, 0.005), LONGEST_WAIT)):
                    await self._woken.wait()


LONGEST_TURN = 0.25
"""Seconds of work after which other tasks have their turn."""
RUNNING = ContextVar("RUNNING", default=False)
"""Whether this is the work of a timer: what a timer changes must not wait for itself."""


class Scheduler:
    """The timers of one sandbox; handlers call `run_due` first, so that no answer is out of date."""

    def __init__(
        self,
        objects: ObjectStore,
        ids: IdSource,
        clock: Callable[[], float],
        pace: float,
        run: Callable[[Timer], Awaitable[float | None]],
    ) -> None:
        self._ids = ids
        self._clock = clock
        self._pace = pace
        self._run = run
        self._timers = TimerQueue(objects, "timetable")
        self._lock = asyncio.Lock()
        self._loop = TimerLoop(self.run_due, self._seconds_until_due)

    def schedule(self, kind: str, id: str, due: float | None = None, parent: str = "") -> None:  # noqa: A002 - the API's word
        """Schedule the next change of an object; by default when it has spent its time in the present state."""
        due = self._clock() + self._pace if due is None else due
        self._timers.add(Timer(kind, id, parent, due, id_seed=self._ids.new_name()))
        self._loop.wake()

    def start(self) -> None:
        """Run timers without being asked, also those that an earlier run of the sandbox left open."""
        self._loop.start()

    async def close(self) -> None:
        """Stop running timers."""
        await self._loop.stop()

    async def run_due(self) -> None:
        """Run the timers that are due, as far as one turn goes."""
        if RUNNING.get():
            return
        async with self._lock:
            mark = RUNNING.set(True)
            try:
                await self._run_turn()
            finally:
                RUNNING.reset(mark)

    async def _run_turn(self) -> None:
        until = time.monotonic() + LONGEST_TURN
        while time.monotonic() < until and (timer := self._timers.pop_due(self._clock())) is not None:
            due = await self._run_timer(timer)
            if due is None:
                self._timers.remove(timer)
            else:
                self._timers.add(replace(timer, due=due, turn=timer.turn + 1))

    async def _run_timer(self, timer: Timer) -> float | None:
        try:
            with self._ids.separate(f"{timer.id_seed}/{timer.turn}"):
                return await self._run(timer)
        except Exception:
            log.exception("%s stopped where it is; the others go on", timer.name)
            return None

    def _seconds_until_due(self) -> float | None:
        due = self._timers.due
        return None if due is None else due - self._clock()
