"""What was read and is not accepted yet: what comes while one group is committed becomes the next group."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from connector.engine import NewTask
from connector.model import JSON
from connector.subscribers import Bookmark

__all__ = ["Buffer", "Group"]


@dataclass(slots=True)
class Group:
    """What is committed together: tasks, the last bookmark of each part before them, and what chains keep."""

    tasks: list[NewTask] = field(default_factory=list[NewTask])
    marks: dict[str, Bookmark] = field(default_factory=dict[str, Bookmark])
    records: dict[tuple[str, str], JSON] = field(default_factory=dict[tuple[str, str], JSON])
    size: int = 0


class Buffer:
    """Takes documents one by one and gives them in groups.

    Args:
        count: at most so many tasks in a group.
        size: a group is closed when its documents have so many bytes.
    """

    def __init__(self, count: int, size: int) -> None:
        self._count = count
        self._size = size
        self._group = Group()
        self._closed = False
        self._filled = asyncio.Event()
        self._emptied = asyncio.Event()

    async def put(self, tasks: Sequence[NewTask], size: int, records: Mapping[tuple[str, str], JSON]) -> None:
        """More tasks; waits while there are enough for a group."""
        while self._group.tasks and (self._is_full() or len(self._group.tasks) + len(tasks) > self._count):
            self._emptied.clear()
            await self._emptied.wait()
        self._group.tasks.extend(tasks)
        self._group.records.update(records)
        self._group.size += size
        self._filled.set()

    def mark(self, mark: Bookmark) -> None:
        """Where the reading stands after the tasks that were put."""
        self._group.marks[mark.part] = mark
        self._filled.set()

    def close(self) -> None:
        """Nothing more comes."""
        self._closed = True
        self._filled.set()

    async def take(self) -> Group | None:
        """What there is; None when nothing more comes."""
        await self._filled.wait()
        group, self._group = self._group, Group()
        if not self._closed:
            self._filled.clear()
        self._emptied.set()
        return None if self._closed and not (group.tasks or group.marks or group.records) else group

    def _is_full(self) -> bool:
        return len(self._group.tasks) >= self._count or self._group.size >= self._size
