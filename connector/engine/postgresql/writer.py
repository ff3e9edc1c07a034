"""Group commit: changes that arrive during a transaction go together in the next."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from connector.engine import failpoints
from connector.engine.change import Change, CommitResult
from connector.engine.postgresql.connection import Connection, ConnectionPool, Transaction, Unreachable
from connector.engine.postgresql.jobs import Jobs
from connector.engine.postgresql.journal import write_calls, write_values
from connector.engine.postgresql.queue import lock_order_keys, promote_next
from connector.engine.postgresql.reservations import settle_reservations
from connector.engine.postgresql.rows import StateCounts
from connector.engine.postgresql.tasks import CommitContext, Row, accept, carry, settle
from connector.engine.store import Fenced, StoreBroken, StoreError, StoreFull
from connector.engine.tasks import ENDS, TaskState

__all__ = ["GroupCommitter", "forget_commits"]

GROUP_SIZE = 1_000
MINE = """
SELECT task.id, task.route, task.ord, task.job, task.state, task.carrier, task.carries,
    carrier.id IS NOT NULL AS carried
FROM tasks AS task
LEFT JOIN tasks AS carrier ON carrier.id = task.carrier AND carrier.worker = $2 AND carrier.state = 'processing'
WHERE task.id = ANY($1::bigint[])
AND (task.worker = $2 AND task.state = 'processing' OR task.state = 'waiting' AND carrier.id IS NOT NULL)
ORDER BY task.id FOR NO KEY UPDATE OF task
"""
NUMBER = """
INSERT INTO commits AS known VALUES ($1, $2)
ON CONFLICT (committer) DO UPDATE SET number = excluded.number, at = now() WHERE known.number < excluded.number
"""
"""Changes nothing when the commit of this number is there; waits while a transaction that writes it is open."""
FORGET = "DELETE FROM commits WHERE committer = $1 OR at < now() - interval '30 days'"
"""Whoever was frozen for so long has lost its leases, and commits nothing more."""


@dataclass(frozen=True, slots=True)
class PendingChange:
    """A change that waits for its transaction."""

    change: Change
    done: asyncio.Future[CommitResult]


class GroupCommitter:
    """Commits changes in the order in which they arrive.

    Args:
        wall: seconds since 1970.
    """

    def __init__(self, pool: ConnectionPool, jobs: Jobs, worker: str, wall: Callable[[], float]) -> None:
        self._pool = pool
        self._jobs = jobs
        self._worker = worker
        self._wall = wall
        self._waiting: list[PendingChange] = []
        self._task: asyncio.Task[None] | None = None
        self._closed = False
        self.name = uuid.uuid4().hex
        """No other committer has it, not even the next one of the same worker."""
        self._number = 0

    async def commit(self, change: Change) -> CommitResult:
        if self._closed:
            raise StoreBroken("the store is closed")
        asked = PendingChange(change, asyncio.get_running_loop().create_future())
        self._waiting.append(asked)
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._run())
        return await asyncio.shield(asked.done)

    async def close(self) -> None:
        """Wait for the transaction under way."""
        self._closed = True
        if self._task is not None:
            await self._task

    async def _run(self) -> None:
        while self._waiting:
            group, self._waiting = self._waiting[:GROUP_SIZE], self._waiting[GROUP_SIZE:]
            await self._commit_group(group)

    async def _commit_group(self, group: Sequence[PendingChange]) -> None:
        """Commit a group; when one change is wrong, commit the others without it."""
        self._number += 1
        once = _ExactlyOnce(self._pool, self.name, self._number, partial(self._write, group))
        try:
            results = await self._pool.retry(once.attempt)
        except LeasesLost as lost:
            fenced = [one for one in group if named_tasks(one.change) & lost.tasks]
            for one in fenced:
                named = ", ".join(map(str, sorted(named_tasks(one.change) & lost.tasks)))
                _fail(one, Fenced(f"task {named} is leased by another worker now"))
            await self._commit_group([one for one in group if one not in fenced])
        except Exception as error:  # noqa: BLE001  the caller gets it
            await self._commit_one_by_one(group, error)
        else:
            for one, committed in zip(group, results, strict=True):
                if not one.done.done():
                    one.done.set_result(committed)

    async def _write(self, group: Sequence[PendingChange], connection: Connection) -> list[CommitResult]:
        return await write_changes(connection, [one.change for one in group], self._jobs, self._worker, self._wall())

    async def _commit_one_by_one(self, group: Sequence[PendingChange], error: Exception) -> None:
        """Commit the changes of a failed group one by one, unless the database itself is at fault."""
        if not isinstance(error, (Unreachable, StoreFull)) and len(group) > 1:
            for one in group:
                await self._commit_group([one])
            return
        for one in group:
            _fail(one, error)


class _ExactlyOnce:
    """One group, committed exactly once: its number is kept with it, and tells when the answer was lost."""

    def __init__(
        self,
        pool: ConnectionPool,
        committer: str,
        number: int,
        write: Callable[[Connection], Awaitable[list[CommitResult]]],
    ) -> None:
        self._pool = pool
        self._committer = committer
        self._number = number
        self._write = write
        self._is_doubtful = False
        self._given: list[CommitResult] = []

    async def attempt(self) -> list[CommitResult]:
        async with self._pool.acquire() as connection:
            transaction = connection.transaction()
            try:
                if not await self._begin(connection, transaction):
                    await _roll_back(transaction, self._pool)
                    return self._given
                self._is_doubtful = False
                self._given = await self._write(connection)
                failpoints.reach("postgresql.commit.before")
            except BaseException:
                await _roll_back(transaction, self._pool)
                raise
            self._is_doubtful = True
            await transaction.commit()
            failpoints.reach("postgresql.commit.after")
            return self._given

    async def _begin(self, connection: Connection, transaction: Transaction) -> bool:
        """Begin a transaction with the number of the commit; return False when that was committed before."""
        try:
            await transaction.start()
            return (await connection.execute(NUMBER, self._committer, self._number)).endswith(" 1")
        except Exception as error:
            if not self._is_doubtful:
                raise
            # No fault of this connection says that nothing was done, so the question is asked again.
            raise TimeoutError(f"whether a commit was made is not known yet: {error}") from error


async def forget_commits(connection: Connection, committer: str) -> None:
    """Delete the number of a committer that ends, and those of committers that are long gone."""
    await connection.execute(FORGET, committer)


async def _roll_back(transaction: Any, pool: ConnectionPool) -> None:
    try:
        await transaction.rollback()
    except Exception as error:
        if not pool.is_connection_loss(error):
            raise


def _fail(asked: PendingChange, error: Exception) -> None:
    if not asked.done.done():
        asked.done.set_exception(error)


def check_change(change: Change) -> None:
    """Raise StoreError for a change that settles a task twice, or into a state in which none can be settled."""
    if len({one.task for one in change.settle}) < len(change.settle):
        raise StoreError("a task is settled twice in one change; nothing was done")
    for one in change.settle:
        if one.state is TaskState.PROCESSING:
            raise StoreError(f"task {one.task} cannot be settled as processing; it can end, wait or be new")
        if one.carried and one.state not in ENDS:
            raise StoreError(f"task {one.task} does not end as {one.state}, so those that go in it cannot end with it")


class LeasesLost(Exception):
    """Tasks of a change are leased by another worker."""

    def __init__(self, tasks: set[int]) -> None:
        super().__init__(f"tasks {sorted(tasks)}")
        self.tasks = tasks


async def write_changes(
    connection: Connection, changes: Sequence[Change], jobs: Jobs, worker: str, now: float
) -> list[CommitResult]:
    """Write changes; return the result of each. On LeasesLost nothing may be committed."""
    context = CommitContext(connection, jobs, worker, now, StateCounts(worker))
    for change in changes:
        check_change(change)
    held = await _lock_tasks(context, changes)
    await settle_reservations(connection, changes)
    await write_calls(connection, changes)
    carriers = await carry(context, changes, held)
    await settle(context, changes, held)
    new = [task for change in changes for task in change.accept]
    accepted = iter(await accept(connection, new, now, jobs, context.counts))
    if context.orders:
        await lock_order_keys(connection, context.orders)
        await promote_next(connection, context.orders, now, jobs)
    await write_values(connection, changes)
    await context.counts.write(connection)
    return [
        CommitResult([next(accepted) for _ in change.accept], [next(carriers) for _ in change.carry])
        for change in changes
    ]


def named_tasks(change: Change) -> set[int]:
    """Return the tasks that this worker must have leased."""
    found = {settled.task for settled in change.settle}
    found.update(call.task for call in change.intend)
    found.update(call.task for call in change.end)
    return found.union(*(carried.members for carried in change.carry))


async def _lock_tasks(context: CommitContext, changes: Sequence[Change]) -> dict[int, Row]:
    """Lock the rows of all named tasks, so that no other worker can lease them."""
    named = set[int]().union(*map(named_tasks, changes))
    if not named:
        return {}
    rows = await context.connection.fetch(MINE, sorted(named), context.worker)
    held = {row["id"]: row for row in rows}
    if lost := named - held.keys():
        raise LeasesLost(lost)
    return held
