"""The store on PostgreSQL."""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
import time
import uuid
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, Self, TypeVar

from connector.engine.change import CallEnd, Change, CommitResult, Expense
from connector.engine.postgresql import admin, queue, reader, reservations
from connector.engine.postgresql.connection import Connection, ConnectionPool
from connector.engine.postgresql.feed import PostgreSQLFeed
from connector.engine.postgresql.jobs import JobListener, Jobs
from connector.engine.postgresql.rows import fold_counts
from connector.engine.postgresql.schema import migrate
from connector.engine.postgresql.writer import GroupCommitter, forget_commits
from connector.engine.store import Filter, PendingLines, StoreError
from connector.engine.tasks import Task, TaskState
from connector.model import JSON
from connector.timing import SYSTEM, Timing

__all__ = ["PostgreSQLStore"]

Result = TypeVar("Result")
KEYS_AT_ONCE = 1_000
LEAD = """
INSERT INTO leaders AS known VALUES ($1, $2, now() + make_interval(secs => $3))
ON CONFLICT (name) DO UPDATE SET worker = excluded.worker, until = excluded.until
WHERE known.worker = excluded.worker OR known.until < now()
"""


class PostgreSQLStore:
    """The store in a PostgreSQL database.

    Args:
        links: the connections.
        worker: a name that no other process has.
        wall: seconds since 1970.
        patience: seconds without a heartbeat after which a worker counts as gone.
        runs: whether it works on tasks, and does not only look after them.
    """

    def __init__(
        self, pool: ConnectionPool, *, worker: str, wall: Callable[[], float], patience: float, runs: bool = True
    ) -> None:
        self._pool = pool
        self._runs = runs
        self.worker = worker
        self._wall = wall
        self._jobs = Jobs(worker, patience)
        self._committer = GroupCommitter(pool, self._jobs, worker, wall)
        self._listener = JobListener(pool)
        self.feed = PostgreSQLFeed(self._query, self._transact)
        self._lease_lock = asyncio.Lock()
        """Leases are taken one at a time: concurrent ones would find what the others have just locked."""

    @classmethod
    async def open(
        cls,
        url: str,
        *,
        worker: str = "",
        wall: Callable[[], float] = time.time,
        timing: Timing = SYSTEM,
        patience: float = 30.0,
        away: float = 600.0,
        runs: bool = True,
    ) -> Self:
        """Open a store and migrate its tables.

        Args:
            away: seconds for which a database that cannot be reached is waited for.
        """
        pool = ConnectionPool(url, patience=away, timing=timing)
        await pool.open(migrate)
        name = worker or f"{socket.gethostname()}:{os.getpid()}:{uuid.uuid4().hex[:8]}"
        store = cls(pool, worker=name, wall=wall, patience=patience, runs=runs)
        store._listener.start()
        return store

    async def close(self) -> None:
        await self._committer.close()
        await self._listener.close()
        with contextlib.suppress(StoreError, OSError, TimeoutError):
            await self._transact(lambda connection: queue.give_back(connection, self._jobs, self.worker, self._wall()))
            await self._transact(lambda connection: fold_counts(connection, self.worker))
            await self._transact(lambda connection: forget_commits(connection, self._committer.name))
        await self._pool.close()

    async def commit(self, change: Change) -> CommitResult:
        return await self._committer.commit(change)

    async def lease(self, route: str, most: int, *, limit: int = 0) -> Sequence[Task]:
        if not self._runs:
            raise StoreError("this process looks after tasks and does not work on them")
        if most < 1:
            return []
        async with self._lease_lock:
            return await self._transact(
                lambda connection: queue.lease(connection, route, most, limit, self._jobs, self.worker, self._wall())
            )

    async def lease_task(self, task: int) -> Task | None:
        if not self._runs:
            raise StoreError("this process looks after tasks and does not work on them")
        leased = await self._transact(
            lambda connection: queue.lease_task(connection, task, self._jobs, self.worker, self._wall())
        )
        return next(iter(leased), None)

    async def renew_leases(self, ids: Sequence[int]) -> Sequence[int]:
        if not ids:
            return []
        return await self._transact(lambda connection: queue.renew_leases(connection, ids, self._jobs, self.worker))

    async def wait_for_change(self, seconds: float) -> None:
        await self._listener.wait(seconds)

    async def next_due(self, route: str) -> float | None:
        return await self._query(lambda connection: reader.next_due(connection, route))

    async def claim(self, name: str, tick: str) -> bool:
        made: str = await self._query(
            lambda connection: connection.execute(
                "INSERT INTO claims VALUES ($1, $2) ON CONFLICT DO NOTHING", name, tick
            )
        )
        return made.endswith(" 1")

    async def lead(self, name: str, seconds: float) -> bool:
        made: str = await self._query(lambda connection: connection.execute(LEAD, name, self.worker, seconds))
        return made.endswith(" 1")

    async def cursor(self, name: str) -> JSON:
        return (await self._query(lambda connection: reader.cursors(connection, name))).get(name)

    async def cursors(self) -> Mapping[str, JSON]:
        return await self._query(reader.cursors)

    async def record(self, space: str, key: str) -> JSON:
        return await self._query(lambda connection: reader.record(connection, space, key))

    async def records(self, space: str) -> Mapping[str, JSON]:
        return await self._query(lambda connection: reader.records(connection, space))

    async def spending(self, name: str, since: float) -> Expense:
        return await self._query(lambda connection: reservations.read_spent(connection, name, since))

    async def reserved(self, name: str, since: float) -> Expense:
        return await self._query(lambda connection: reservations.read_reserved(connection, name, since))

    async def pending_files(self) -> Sequence[str]:
        return await self._query(reader.pending_files)

    async def pending_lines(self, name: str, most: int) -> PendingLines:
        return await self._query(lambda connection: reader.pending_lines(connection, name, most))

    async def counts(self, route: str = "") -> Mapping[str, Mapping[TaskState, int]]:
        return await self._query(lambda connection: reader.counts(connection, route))

    async def oldest(self, route: str) -> float | None:
        return await self._query(lambda connection: reader.oldest(connection, route))

    async def tasks(self, wanted: Filter, *, after: int = 0, limit: int = 100) -> Sequence[Task]:
        return await self._query(lambda connection: reader.tasks(connection, wanted, after, limit))

    async def task(self, task: int) -> Task | None:
        return await self._query(lambda connection: reader.task(connection, task))

    async def carried_tasks(self, carrier: int, *, after: int = 0, limit: int = 1000) -> Sequence[Task]:
        return await self._query(lambda connection: reader.carried_tasks(connection, carrier, after, limit))

    async def vanished_keys(self, route: str, reading: int) -> AsyncGenerator[str, None]:
        after = ""
        while keys := await self._query(
            partial(reader.vanished_keys, route=route, reading=reading, after=after, most=KEYS_AT_ONCE)
        ):
            for key in keys:
                yield key
            after = keys[-1]

    async def retry(self, wanted: Filter, *, document: JSON = None) -> int:
        return await self._repeat(
            lambda connection: admin.retry(connection, wanted, document, self._jobs, self.worker, self._wall())
        )

    async def hurry(self, wanted: Filter) -> int:
        return await self._repeat(lambda connection: admin.hurry(connection, wanted, self._jobs, self._wall()))

    async def skip(self, wanted: Filter, reason: str) -> int:
        return await self._repeat(
            lambda connection: admin.skip(connection, wanted, reason, self._jobs, self.worker, self._wall())
        )

    async def confirm(self, end: CallEnd) -> bool:
        return await self._transact(
            lambda connection: admin.confirm(connection, end, self._jobs, self.worker, self._wall())
        )

    async def purge(self, wanted: Filter, *, most: int = 10_000) -> int:
        gone = await self._transact(lambda connection: admin.purge(connection, wanted, most, self.worker))
        if await self.lead("pgqueuer's log", 60):
            await self._transact(self._jobs.clear_log)
        return gone

    async def backup(self, to: Path) -> None:
        raise StoreError(
            f"PostgreSQL has its own ways to be backed up: pg_dump --schema=openai_connector, or a base backup; {to} "
            "was not written"
        )

    async def _query(self, work: Callable[[Connection], Awaitable[Result]]) -> Result:
        async def attempt() -> Result:
            async with self._pool.acquire() as connection:
                return await work(connection)

        return await self._pool.retry(attempt)

    async def _transact(self, work: Callable[[Connection], Awaitable[Result]]) -> Result:
        """Run work in a transaction; it runs again when its commit was not confirmed, so it must bear that."""

        async def within(connection: Any) -> Result:
            async with connection.transaction():
                return await work(connection)

        return await self._query(within)

    async def _repeat(self, work: Callable[[Connection], Awaitable[int]]) -> int:
        """Repeat a transaction of a few thousand tasks until one finds none; return the sum."""
        total = 0
        while found := await self._transact(work):
            total += found
        return total
