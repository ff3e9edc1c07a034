"""So many tasks under way at a time, each in a place that goes on with the next one."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Collection, Sequence

from connector.engine import Task

__all__ = ["Places"]


class Places:
    """Runs tasks; a place takes one after the other, so that a task costs no more than its own work.

    Args:
        work: what is done with a task.
        ended: told when a place has done with one.
        broken: told of an error in the work itself, after which nothing can go on.
    """

    def __init__(
        self,
        work: Callable[[Task], Awaitable[None]],
        ended: Callable[[], None],
        broken: Callable[[BaseException], None],
    ) -> None:
        self._work = work
        self._ended = ended
        self._broken = broken
        self._open: set[asyncio.Task[None]] = set()
        self._given_up: set[int] = set()
        self.ready: deque[Task] = deque()
        self.running: dict[int, asyncio.Task[None]] = {}
        self.allowed = 0

    @property
    def all(self) -> Sequence[int]:
        """The tasks under way and those that are ready."""
        return [*self.running, *(task.id for task in self.ready)]

    def take(self, tasks: Sequence[Task], allowed: int) -> None:
        """More tasks; those for which there is no place wait."""
        self.ready.extend(tasks)
        self.allowed = allowed
        for _ in range(min(len(self.ready), allowed - len(self._open))):
            place = asyncio.create_task(self._place())
            self._open.add(place)
            place.add_done_callback(self._open.discard)

    def abandon(self, tasks: Collection[int]) -> None:
        """Breaks these off."""
        self.ready = deque(task for task in self.ready if task.id not in tasks)
        for task in tasks:
            if task in self.running:
                self._given_up.add(task)
                self.running[task].cancel()

    def empty(self) -> Sequence[Task]:
        """The tasks that are ready, which are ready no longer."""
        left = list(self.ready)
        self.ready.clear()
        return left

    async def finished(self) -> None:
        """Returns when every place has ended."""
        while self._open:
            await asyncio.wait(self._open)

    async def close(self) -> None:
        """Breaks off whatever is under way."""
        for place in self._open:
            place.cancel()
        await asyncio.gather(*self._open, return_exceptions=True)

    async def _place(self) -> None:
        me = asyncio.current_task()
        assert me is not None  # noqa: S101  a place is a task of the loop
        try:
            while self.ready and len(self._open) <= self.allowed:
                await self._take(self.ready.popleft(), me)
        except Exception as error:  # noqa: BLE001  whatever it is, the run is told
            self._broken(error)
        finally:
            self._open.discard(me)
            self._ended()

    async def _take(self, task: Task, me: asyncio.Task[None]) -> None:
        self.running[task.id] = me
        try:
            await self._work(task)
        except asyncio.CancelledError:
            if task.id not in self._given_up:
                raise
            me.uncancel()
        finally:
            self._given_up.discard(task.id)
            del self.running[task.id]
            if self.ready:
                self._ended()
