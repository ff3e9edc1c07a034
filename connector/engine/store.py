"""The contract of every engine: one way to write, a way to lease, and queries.

Its errors: StoreFull (no space, nothing was done, try again), StoreBroken (this store is of no more use to this
process), Fenced (another worker has this task or this store now).
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from connector.engine.change import CallEnd, Change, CommitResult, Expense, Line, Reservation
from connector.engine.feed import TaskFeed
from connector.engine.tasks import Task, TaskState
from connector.errors import ConnectorError
from connector.model import JSON

__all__ = [
    "BudgetExceeded",
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
    """The store cannot do what was asked."""


class StoreFull(StoreError):
    """There is no space, or the disk failed: nothing of the change was done, and it may be retried."""


class StoreHeld(StoreError):
    """Another run works on the store, and only one can."""


class StoreBroken(StoreError):
    """The store can be neither trusted nor reached by this process any more; another process may continue with it."""


class Fenced(StoreError):
    """Another worker has taken over the task."""


class BudgetExceeded(StoreError):
    """A budget has not enough left for a call: nothing of the change was done.

    Attributes:
        wanted: what was to be reserved.
        spent: what its period has used.
        reserved: what calls under way, and calls without a known end, may use.
        doubtful: how much of that is of calls without a known end, which only a person or the next period releases.
    """

    def __init__(self, wanted: Reservation, spent: Expense, reserved: Expense, doubtful: Expense) -> None:
        super().__init__(f"budget {wanted.name!r} has not enough left for a call")
        self.wanted = wanted
        self.spent = spent
        self.reserved = reserved
        self.doubtful = doubtful


class Superseded(Fenced, StoreBroken):
    """Another runner has taken over the store."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """Which tasks are selected; all given conditions must hold.

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
    """Lines still to be appended to a file, and the file's length when the line before them was on disk."""

    name: str
    length: int
    lines: Sequence[tuple[int, Line]]


class Store(Protocol):
    """A durable store of tasks. Every method may be called from many asyncio tasks at a time."""

    @property
    def worker(self) -> str:
        """Return the name under which this process leases."""
        ...

    @property
    def feed(self) -> TaskFeed:
        """Return what changes here, for an index beside the store."""
        ...

    async def close(self) -> None:
        """Give back what is leased and not settled, and close."""
        ...

    async def commit(self, change: Change) -> CommitResult:
        """Commit a change, on disk when this returns; raise Fenced when another worker has one of its tasks."""
        ...

    async def lease(self, route: str, most: int, *, limit: int = 0) -> Sequence[Task]:
        """Lease due tasks of a route until they are settled; each counts as attempted and has its calls.

        Tasks of a worker that is gone are leased again. Of one order key only the oldest live task is leased. With a
        limit, all workers together lease at most that many of the route's tasks at a time.
        """
        ...

    async def lease_task(self, task: int) -> Task | None:
        """Lease one task that is due, by its id; None when it has ended, is not due, or another worker has it."""
        ...

    async def renew_leases(self, ids: Sequence[int]) -> Sequence[int]:
        """Renew the leases of tasks; return those that this worker has lost."""
        ...

    async def wait_for_change(self, seconds: float) -> None:
        """Wait until there may be something new to lease, at most for some seconds."""
        ...

    async def next_due(self, route: str) -> float | None:
        """Return when the next waiting task of a route is due; None when none waits."""
        ...

    async def claim(self, name: str, tick: str) -> bool:
        """Claim a tick of a schedule; return whether this worker, of all, is the one that does it."""
        ...

    async def lead(self, name: str, seconds: float) -> bool:
        """Become or stay the leader of a name for some seconds; return whether this worker is."""
        ...

    async def cursor(self, name: str) -> JSON:
        """Return the position of a reading; None at first."""
        ...

    async def cursors(self) -> Mapping[str, JSON]:
        """Return all cursors by name."""
        ...

    async def record(self, space: str, key: str) -> JSON:
        """Return a small value; None when there is none."""
        ...

    async def records(self, space: str) -> Mapping[str, JSON]:
        """Return all small values of a space by key."""
        ...

    async def spending(self, name: str, since: float) -> Expense:
        """Return what was used of a budget since a time."""
        ...

    async def reserved(self, name: str, since: float) -> Expense:
        """Return what is reserved of a budget: for calls under way, and since a time for those without a known end."""
        ...

    async def pending_files(self) -> Sequence[str]:
        """Return the files that lines are still to be appended to."""
        ...

    async def pending_lines(self, name: str, most: int) -> PendingLines:
        """Return the next lines of a file."""
        ...

    async def counts(self, route: str = "") -> Mapping[str, Mapping[TaskState, int]]:
        """Return how many tasks are in which state, by route; the time does not grow with their number."""
        ...

    async def oldest(self, route: str) -> float | None:
        """Return when the oldest live task of a route was accepted."""
        ...

    async def tasks(self, wanted: Filter, *, after: int = 0, limit: int = 100) -> Sequence[Task]:
        """Return tasks with ids beyond `after`, ascending, without their calls."""
        ...

    async def task(self, task: int) -> Task | None:
        """Return a task with all its calls."""
        ...

    async def carried_tasks(self, carrier: int, *, after: int = 0, limit: int = 1000) -> Sequence[Task]:
        """Return the tasks in a carrier that have not ended."""
        ...

    def vanished_keys(self, route: str, reading: int) -> AsyncGenerator[str, None]:
        """Yield the keys that earlier readings saw and this one did not."""
        ...

    async def retry(self, wanted: Filter, *, document: JSON = None) -> int:
        """Make ended tasks new again, as they came or with another document; return how many."""
        ...

    async def hurry(self, wanted: Filter) -> int:
        """Let tasks that wait for a time go on now; return how many."""
        ...

    async def skip(self, wanted: Filter, reason: str) -> int:
        """Skip tasks that are not leased; return how many."""
        ...

    async def confirm(self, end: CallEnd) -> bool:
        """End a call of an unknown task the way a person knows it ended, and make the task new again.

        Its next attempt finds the call done, or not, and goes on from there. Return whether the task was unknown.
        """
        ...

    async def purge(self, wanted: Filter, *, most: int = 10_000) -> int:
        """Delete ended tasks with their calls, at most `most`; return how many."""
        ...

    async def backup(self, to: Path) -> None:
        """Copy the store consistently while others work; raise StoreError where the engine has tools of its own."""
        ...
