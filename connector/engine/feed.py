"""What a search index beside a store is made from: which tasks changed, and their rows and documents.

A feed costs those who work on tasks nothing until somebody watches: only then does the store note what changes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple, Protocol

from connector.engine.tasks import CallRecord, TaskState

__all__ = ["BLOCK_BITS", "RANKS", "Changes", "Digest", "TaskFeed", "TaskRow"]

BLOCK_BITS: Final = 12
"""A block holds the tasks whose ids differ in these lowest bits alone."""
RANKS: Final[Mapping[TaskState, int]] = {state: rank for rank, state in enumerate(TaskState)}
"""The states as numbers, in the order in which lists of tasks are sorted by state."""


class TaskRow(NamedTuple):
    """What lists show of a task without its document."""

    id: int
    route: str
    state: TaskState
    key: str
    attempts: int
    reason: str
    created: float
    updated: float
    due: float


@dataclass(frozen=True, slots=True)
class Changes:
    """What changed since a mark.

    Attributes:
        mark: from where to go on.
        tasks: the ids of tasks that were accepted, changed or deleted.
        edited: those whose documents may have been replaced.
        whole: whether these are all; otherwise the feed was off for a while, and all tasks must be compared.
    """

    mark: str
    tasks: Sequence[int] = ()
    edited: Sequence[int] = ()
    whole: bool = True


class Digest(NamedTuple):
    """Sums over the tasks of a block; two that are equal have the same rows, as far as anyone can tell."""

    block: int
    tasks: int
    updated: int
    due: int
    attempts: int
    states: int
    reasons: int


class TaskFeed(Protocol):
    """The changes of a store and what is read to follow them."""

    async def watch(self, watcher: str, seconds: float) -> None:
        """Have changes noted for some seconds more."""
        ...

    async def unwatch(self, watcher: str) -> None:
        """Have changes noted no longer, unless others watch."""
        ...

    async def changes(self, mark: str) -> Changes:
        """Return what changed since a mark; an empty one is the beginning."""
        ...

    async def newest(self) -> int:
        """Return the highest id of a task; 0 without any."""
        ...

    async def digests(self, first: int, last: int) -> Sequence[Digest]:
        """Return a digest of each block that has tasks between two ids, ascending."""
        ...

    async def rows(self, ids: Sequence[int]) -> Sequence[TaskRow]:
        """Return the rows of those of the tasks that are there."""
        ...

    async def rows_between(self, first: int, last: int) -> Sequence[TaskRow]:
        """Return the rows of tasks from an id to another, ascending."""
        ...

    async def documents(self, ids: Sequence[int]) -> Mapping[int, bytes]:
        """Return the documents of those of the tasks that are there, as JSON."""
        ...

    async def documents_after(self, task: int, limit: int) -> Sequence[tuple[int, bytes]]:
        """Return the next documents by their ids, ascending; at least one, unless there is none."""
        ...

    async def calls(self, ids: Sequence[int]) -> Mapping[int, Sequence[CallRecord]]:
        """Return the calls of those of the tasks that made any, the oldest first."""
        ...
