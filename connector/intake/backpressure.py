"""What holds a reading back: the bound of the route's queue, and the group that is being committed."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

from connector.aio.tasks import wait_for_event
from connector.engine import LIVE, NewTask, Store
from connector.model import JSON
from connector.subscribers import Bookmark
from connector.timing import SYSTEM, Timing

__all__ = ["Backpressure", "Buffer", "CommitGroup"]

LOOK_AGAIN = 5.0
"""Seconds after which a queue that was full is looked at in any case, since others may work on it too."""


class Backpressure:
    """The bound of one route's queue.

    Args:
        store: where the tasks are kept.
        routes: the route, and the one that takes on its documents as they come.
        most: how many may be under way or waiting.
        timing: how to wait.
    """

    def __init__(self, store: Store, routes: Collection[str], most: int, timing: Timing = SYSTEM) -> None:
        self._store = store
        self._routes = routes
        self._most = most
        self._timing = timing
        self._left = 0
        self._wanted = 0
        self._ended = 0
        self._look = asyncio.Event()
        self._opened = False

    def ended(self, count: int) -> None:
        """Note that tasks have ended."""
        self._ended += count
        if self._ended >= self._wanted:
            self._look.set()

    def open(self) -> None:
        """Let everything in, since reading has stopped."""
        self._opened = True
        self._look.set()

    async def take(self, count: int) -> None:
        """Wait until more tasks may be accepted; a group larger than the bound waits for an empty queue."""
        if count > self._left:
            self._left = await self._count_free()
        while count > self._left < self._most and not self._opened:
            self._wanted, self._ended = count - self._left, 0
            self._look.clear()
            await wait_for_event(self._look, LOOK_AGAIN, self._timing)
            self._left = await self._count_free()
        self._left -= count

    async def try_take(self, count: int) -> bool:
        """Return whether more tasks may be accepted now; a group larger than the bound needs an empty queue."""
        if count > self._left:
            self._left = await self._count_free()
        if count > self._left < self._most:
            return False
        self._left -= count
        return True

    async def _count_free(self) -> int:
        counts = [await self._store.counts(route) for route in self._routes]
        states = [one.get(route, {}) for one, route in zip(counts, self._routes, strict=True)]
        return self._most - sum(count for one in states for state, count in one.items() if state in LIVE)


@dataclass(slots=True)
class CommitGroup:
    """What is committed together: tasks, the last bookmark of each part before them, and what chains keep."""

    tasks: list[NewTask] = field(default_factory=list[NewTask])
    marks: dict[str, Bookmark] = field(default_factory=dict[str, Bookmark])
    records: dict[tuple[str, str], JSON] = field(default_factory=dict[tuple[str, str], JSON])
    size: int = 0


class Buffer:
    """Collects documents into groups.

    Args:
        count: the largest number of tasks in a group.
        size: the number of bytes of documents at which a group is closed.
    """

    def __init__(self, count: int, size: int) -> None:
        self._count = count
        self._size = size
        self._group = CommitGroup()
        self._closed = False
        self._filled = asyncio.Event()
        self._emptied = asyncio.Event()

    async def put(self, tasks: Sequence[NewTask], size: int, records: Mapping[tuple[str, str], JSON]) -> None:
        """Add tasks; wait while there are enough for a group."""
        while self._group.tasks and (self._is_full() or len(self._group.tasks) + len(tasks) > self._count):
            self._emptied.clear()
            await self._emptied.wait()
        self._group.tasks.extend(tasks)
        self._group.records.update(records)
        self._group.size += size
        self._filled.set()

    def mark(self, mark: Bookmark) -> None:
        """Add the bookmark after the tasks that were put."""
        self._group.marks[mark.part] = mark
        self._filled.set()

    def close(self) -> None:
        """Nothing more comes."""
        self._closed = True
        self._filled.set()

    async def take(self) -> CommitGroup | None:
        """Return what there is; None when nothing more comes."""
        await self._filled.wait()
        group, self._group = self._group, CommitGroup()
        if not self._closed:
            self._filled.clear()
        self._emptied.set()
        return None if self._closed and not (group.tasks or group.marks or group.records) else group

    def _is_full(self) -> bool:
        return len(self._group.tasks) >= self._count or self._group.size >= self._size
