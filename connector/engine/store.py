"""What every engine does: one way to write, a way to lease, and what can be asked.

Its errors: StoreFull (no space, nothing was done, try again), StoreBroken (this store is of no more use to this
process), Fenced (another worker has this task or this store now).
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from connector.engine.change import Change, CommitResult, Expense, Line
from connector.engine.tasks import Task, TaskState
from connector.errors import ConnectorError
from connector.model import JSON

__all__ = [
    "Fenced",
    "Filter",
    "PendingLines",
    "Store",
    "StoreBroken",
    "StoreError",
    "StoreFull",
    "StoreHeld",
    "Superseded",
]


class StoreError(ConnectorError):
    """The place where tasks are kept cannot do what was asked."""


class StoreFull(StoreError):
    """There is no space, or the disk failed: nothing of the change was done, and it may be tried again."""


class StoreHeld(StoreError):
    """A run works on it, and only one can."""


class StoreBroken(StoreError):
    """What is kept can be neither trusted nor reached from here any more; another process may go on with it."""


class Fenced(StoreError):
    """Another worker has taken over."""


class Superseded(Fenced, StoreBroken):
    """Another runner has taken over all that is kept here."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """Which tasks are meant; all that is given must hold.

    Attributes:
        reason: a part of the reason.
        updated_before: seconds since 1970.
        updated_after: seconds since 1970.
    """

    ids: Sequence[int] = ()
    route: str = ""
    states: Sequence[TaskState] = ()
    key: str = ""
    reason: str = ""
    updated_before: float | None = None
    updated_after: float | None = None


@dataclass(frozen=True, slots=True)
class PendingLines:
    """What is still to be appended to a file, and how long the file was when the last line before was on disk."""

    name: str
    length: int
    lines: Sequence[tuple[int, Line]]


class Store(Protocol):
    """Where tasks are kept. Every method may be called from many asyncio tasks at a time."""

    @property
    def worker(self) -> str:
        """The name under which this process leases."""
        ...

    async def close(self) -> None:
        """Gives back what is leased and not settled, and closes."""
        ...

    async def commit(self, change: Change) -> CommitResult:
        """Does all of a change, on disk when it returns; Fenced when a task in it is leased by another worker now."""
        ...

    async def lease(self, route: str, most: int, *, limit: int = 0) -> Sequence[Task]:
        """Tasks of a route that are due, counted as attempted and this worker's until settled; with their calls.

        Those of a worker that is gone are given anew. Of one order key the oldest live task alone is given. With a
        limit no more of the route's tasks are leased at a time by all workers together.
        """
        ...

    async def renew_leases(self, ids: Sequence[int]) -> Sequence[int]:
        """Says that this worker still works on these tasks; returns those that it has lost."""
        ...

    async def wait_for_change(self, seconds: float) -> None:
        """Returns when there may be something new to lease, at the latest after so many seconds."""
        ...

    async def next_due(self, route: str) -> float | None:
        """When the next waiting task of a route is due; None when none waits."""
        ...

    async def claim(self, name: str, tick: str) -> bool:
        """Whether this worker is the one, of all, that does what is due at this tick."""
        ...

    async def lead(self, name: str, seconds: float) -> bool:
        """Whether this worker is, for so many seconds from now, the only one that does this."""
        ...

    async def cursor(self, name: str) -> JSON:
        """Where a reading goes on; None at first."""
        ...

    async def cursors(self) -> Mapping[str, JSON]:
        """All cursors by name."""
        ...

    async def record(self, space: str, key: str) -> JSON:
        """A small value; None when there is none."""
        ...

    async def records(self, space: str) -> Mapping[str, JSON]:
        """All small values of a space by key."""
        ...

    async def spending(self, name: str, since: float) -> Expense:
        """What was used of a budget since a time."""
        ...

    async def pending_files(self) -> Sequence[str]:
        """The files that lines are still to be appended to."""
        ...

    async def pending_lines(self, name: str, most: int) -> PendingLines:
        """The next lines of a file."""
        ...

    async def counts(self, route: str = "") -> Mapping[str, Mapping[TaskState, int]]:
        """How many tasks are in which state, by route; in time that does not grow with their number."""
        ...

    async def oldest(self, route: str) -> float | None:
        """When the oldest live task of a route was accepted."""
        ...

    async def tasks(self, wanted: Filter, *, after: int = 0, limit: int = 100) -> Sequence[Task]:
        """Tasks with ids beyond `after`, in the order of their ids, without their calls."""
        ...

    async def task(self, task: int) -> Task | None:
        """One task with all its calls."""
        ...

    async def carried_tasks(self, carrier: int, *, after: int = 0, limit: int = 1000) -> Sequence[Task]:
        """The tasks that go in a carrier and have not come to an end."""
        ...

    def vanished_keys(self, route: str, reading: int) -> AsyncGenerator[str, None]:
        """The keys that earlier readings saw and this one did not."""
        ...

    async def retry(self, wanted: Filter, *, document: JSON = None) -> int:
        """Makes ended tasks new again, as they came or with another document; returns how many."""
        ...

    async def skip(self, wanted: Filter, reason: str) -> int:
        """Ends tasks that are not leased as skipped; returns how many."""
        ...

    async def purge(self, wanted: Filter, *, most: int = 10_000) -> int:
        """Forgets ended tasks with their calls, at most so many at a time; returns how many."""
        ...

    async def backup(self, to: Path) -> None:
        """A copy that is whole, made while others work; StoreError where the engine has tools of its own for that."""
        ...
