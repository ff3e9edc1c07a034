"""Group commit: changes that come while one transaction is under way go together in the next."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from connector.engine import failpoints
from connector.engine.change import Change, CommitResult
from connector.engine.postgresql.connection import Away, Connection, Links
from connector.engine.postgresql.jobs import Jobs
from connector.engine.postgresql.journal import write_calls, write_values
from connector.engine.postgresql.queue import lock, next_in_line
from connector.engine.postgresql.rows import Counting
from connector.engine.postgresql.tasks import Row, Transaction, accept, carry, settle
from connector.engine.store import Fenced, StoreBroken, StoreError, StoreFull
from connector.engine.tasks import ENDS, TaskState

__all__ = ["Committer"]

MOST_CHANGES = 1_000
MINE = """
SELECT task.id, task.route, task.ord, task.job, task.state, task.carrier, task.carries,
    carrier.id IS NOT NULL AS carried
FROM tasks AS task
LEFT JOIN tasks AS carrier ON carrier.id = task.carrier AND carrier.worker = $2 AND carrier.state = 'processing'
WHERE task.id = ANY($1::bigint[])
AND (task.worker = $2 AND task.state = 'processing' OR task.state = 'waiting' AND carrier.id IS NOT NULL)
ORDER BY task.id FOR NO KEY UPDATE OF task
"""


@dataclass(frozen=True, slots=True)
class Asked:
    """A change that waits for its transaction."""

    change: Change
    done: asyncio.Future[CommitResult]


class Committer:
    """Commits what it is given, in the order in which it came.

    Args:
        wall: seconds since 1970.
    """

    def __init__(self, links: Links, jobs: Jobs, worker: str, wall: Callable[[], float]) -> None:
        self._links = links
        self._jobs = jobs
        self._worker = worker
        self._wall = wall
        self._waiting: list[Asked] = []
        self._at_work: asyncio.Task[None] | None = None
        self._closed = False

    async def commit(self, change: Change) -> CommitResult:
        if self._closed:
            raise StoreBroken("the store is closed")
        asked = Asked(change, asyncio.get_running_loop().create_future())
        self._waiting.append(asked)
        if self._at_work is None or self._at_work.done():
            self._at_work = asyncio.create_task(self._work())
        return await asyncio.shield(asked.done)

    async def close(self) -> None:
        """Waits for what is under way."""
        self._closed = True
        if self._at_work is not None:
            await self._at_work

    async def _work(self) -> None:
        while self._waiting:
            group, self._waiting = self._waiting[:MOST_CHANGES], self._waiting[MOST_CHANGES:]
            await self._together(group)

    async def _together(self, group: Sequence[Asked]) -> None:
        """Commits a group; of one that is wrong by itself the others are tried without it."""
        try:
            given = await self._links.persist(_Once(self._links, partial(self._write, group)).attempt)
        except Lost as lost:
            fenced = [one for one in group if named_in(one.change) & lost.tasks]
            for one in fenced:
                named = ", ".join(map(str, sorted(named_in(one.change) & lost.tasks)))
                _fail(one, Fenced(f"task {named} is leased by another worker now"))
            await self._together([one for one in group if one not in fenced])
        except Exception as error:  # noqa: BLE001  told to whoever asked for the change
            await self._apart(group, error)
        else:
            for one, committed in zip(group, given, strict=True):
                if not one.done.done():
                    one.done.set_result(committed)

    async def _write(self, group: Sequence[Asked], connection: Connection) -> list[CommitResult]:
        return await write(connection, [one.change for one in group], self._jobs, self._worker, self._wall())

    async def _apart(self, group: Sequence[Asked], error: Exception) -> None:
        """One change of a group may be wrong: the others must not fail with it."""
        if not isinstance(error, (Away, StoreFull)) and len(group) > 1:
            for one in group:
                await self._together([one])
            return
        for one in group:
            _fail(one, error)


class _Once:
    """One group, committed once: after a connection was lost the database is asked what became of it."""

    def __init__(self, links: Links, write: Callable[[Connection], Awaitable[list[CommitResult]]]) -> None:
        self._links = links
        self._write = write
        self._transaction: str | None = None
        self._given: list[CommitResult] = []

    async def attempt(self) -> list[CommitResult]:
        async with self._links.one() as connection:
            if self._transaction is not None and await _is_committed(connection, self._transaction):
                return self._given
            self._transaction = None
            transaction = connection.transaction()
            await transaction.start()
            try:
                number = await connection.fetchval("SELECT pg_current_xact_id()::text")
                self._given = await self._write(connection)
                failpoints.reach("postgresql.commit.before")
            except BaseException:
                await _undo(transaction, self._links)
                raise
            self._transaction = number
            await transaction.commit()
            failpoints.reach("postgresql.commit.after")
            return self._given


async def _is_committed(connection: Any, transaction: str) -> bool:
    """What became of a transaction whose commit nobody answered; one that is still going on is waited for."""
    while True:
        state = await connection.fetchval("SELECT pg_xact_status($1::text::xid8)", transaction)
        if state != "in progress":
            return bool(state == "committed")
        await asyncio.sleep(0.05)


async def _undo(transaction: Any, links: Links) -> None:
    try:
        await transaction.rollback()
    except Exception as error:
        if not links.is_loss(error):
            raise


def _fail(asked: Asked, error: Exception) -> None:
    if not asked.done.done():
        asked.done.set_exception(error)


def check(change: Change) -> None:
    """Raises StoreError for a change that settles a task twice, or in a way in which none can be settled."""
    if len({one.task for one in change.settle}) < len(change.settle):
        raise StoreError("a task is settled twice in one change; nothing was done")
    for one in change.settle:
        if one.state is TaskState.PROCESSING:
            raise StoreError(f"task {one.task} cannot be settled as processing; it can end, wait or be new")
        if one.carried and one.state not in ENDS:
            raise StoreError(f"task {one.task} does not end as {one.state}, so those that go in it cannot end with it")


class Lost(Exception):
    """Tasks of changes that are not this worker's any more."""

    def __init__(self, tasks: set[int]) -> None:
        super().__init__(f"tasks {sorted(tasks)}")
        self.tasks = tasks


async def write(
    connection: Connection, changes: Sequence[Change], jobs: Jobs, worker: str, now: float
) -> list[CommitResult]:
    """What each change gave; Lost, and nothing may be committed, when one of them is about a task of another worker."""
    at_work = Transaction(connection, jobs, worker, now, Counting(worker))
    for change in changes:
        check(change)
    held = await _held(at_work, changes)
    await write_calls(connection, changes)
    carriers = await carry(at_work, changes, held)
    await settle(at_work, changes, held)
    new = [task for change in changes for task in change.accept]
    accepted = iter(await accept(connection, new, now, jobs, at_work.counting))
    if at_work.orders:
        await lock(connection, at_work.orders)
        await next_in_line(connection, at_work.orders, now, jobs)
    await write_values(connection, changes)
    await at_work.counting.write(connection)
    return [
        CommitResult([next(accepted) for _ in change.accept], [next(carriers) for _ in change.carry])
        for change in changes
    ]


def named_in(change: Change) -> set[int]:
    """The tasks that must be this worker's."""
    found = {settled.task for settled in change.settle}
    found.update(call.task for call in change.intend)
    found.update(call.task for call in change.end)
    return found.union(*(carried.members for carried in change.carry))


async def _held(at_work: Transaction, changes: Sequence[Change]) -> dict[int, Row]:
    """The rows of all tasks that the changes are about, locked: nobody else can lease them meanwhile."""
    named = set[int]().union(*map(named_in, changes))
    if not named:
        return {}
    rows = await at_work.connection.fetch(MINE, sorted(named), at_work.worker)
    held = {row["id"]: row for row in rows}
    if lost := named - held.keys():
        raise Lost(lost)
    return held
