"""A bounded number of tasks under way, each slot taking one task after the other."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Collection, Sequence

from connector.aio.tasks import cancel_all
from connector.engine import Task

__all__ = ["TaskSlots"]


class TaskSlots:
    """Runs tasks; a slot is one coroutine for many tasks, so that a task costs no more than its own work.

    Args:
        work: handles one task.
        on_free: called when a slot has finished, or has finished a task while others are ready.
        on_error: called with an error of the work itself, after which nothing can go on.
    """

    def __init__(
        self,
        work: Callable[[Task], Awaitable[None]],
        on_free: Callable[[], None],
        on_error: Callable[[BaseException], None],
    ) -> None:
        self._work = work
        self._on_free = on_free
        self._on_error = on_error
        self._slots: set[asyncio.Task[None]] = set()
        self._cancelled: set[int] = set()
        self._ready: deque[Task] = deque()
        self._running: dict[int, asyncio.Task[None]] = {}
        self._allowed = 0

    @property
    def running(self) -> int:
        """How many tasks are under way."""
        return len(self._running)

    @property
    def ready(self) -> int:
        """How many tasks wait for a slot."""
        return len(self._ready)

    @property
    def task_ids(self) -> Sequence[int]:
        """The tasks under way and those that wait for a slot."""
        return [*self._running, *(task.id for task in self._ready)]

    def resize(self, allowed: int) -> None:
        """Change how many tasks may be under way; those that are go on."""
        self._allowed = allowed

    def add(self, tasks: Sequence[Task], allowed: int) -> None:
        """Add tasks and open slots for them, up to the number allowed."""
        self._ready.extend(tasks)
        self._allowed = allowed
        for _ in range(min(len(self._ready), allowed - len(self._slots))):
            slot = asyncio.create_task(self._run_slot())
            self._slots.add(slot)
            slot.add_done_callback(self._slots.discard)

    def cancel(self, tasks: Collection[int]) -> None:
        """Cancel these tasks; their slots go on with others."""
        self._ready = deque(task for task in self._ready if task.id not in tasks)
        for task in tasks:
            if task in self._running:
                self._cancelled.add(task)
                self._running[task].cancel()

    def drain(self) -> Sequence[Task]:
        """Remove and return the tasks that wait for a slot."""
        left = list(self._ready)
        self._ready.clear()
        return left

    async def join(self) -> None:
        """Wait until every slot has finished."""
        while self._slots:
            await asyncio.wait(self._slots)

    async def close(self) -> None:
        """Cancel everything under way."""
        await cancel_all(*self._slots)

    async def _run_slot(self) -> None:
        slot = asyncio.current_task()
        assert slot is not None  # noqa: S101  a slot is a task of the loop
        try:
            while self._ready and len(self._slots) <= self._allowed:
                await self._run_task(self._ready.popleft(), slot)
        except Exception as error:  # noqa: BLE001  whatever it is, the run has to end
            self._on_error(error)
        finally:
            self._slots.discard(slot)
            self._on_free()

    async def _run_task(self, task: Task, slot: asyncio.Task[None]) -> None:
        self._running[task.id] = slot
        try:
            await self._work(task)
        except asyncio.CancelledError:
            if task.id not in self._cancelled:
                raise
            slot.uncancel()
        finally:
            self._cancelled.discard(task.id)
            del self._running[task.id]
            if self._ready:
                self._on_free()
