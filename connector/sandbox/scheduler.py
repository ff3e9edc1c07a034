"""Changes of state that come with time, run when they are due."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from contextvars import ContextVar
from dataclasses import replace

from connector.sandbox.ids import IdSource
from connector.sandbox.object_store import ObjectStore
from connector.sandbox.timers import Timer, TimerLoop, TimerQueue

__all__ = ["Scheduler"]

LONGEST_TURN = 0.25
"""Seconds of work after which other tasks have their turn."""
log = logging.getLogger(__name__)
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
