"""Timers that outlive a restart, and the loop that waits for the earliest of them."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from heapq import heapify, heappop, heappush
from itertools import count

from connector.sandbox.object_store import ObjectStore

__all__ = ["Timer", "TimerLoop", "TimerQueue"]

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
