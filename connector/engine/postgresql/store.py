"""The store on PostgreSQL, put together."""

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

from connector.engine.change import Change, CommitResult, Expense
from connector.engine.postgresql import admin, queue, reader
from connector.engine.postgresql.connection import Connection, Links
from connector.engine.postgresql.jobs import Jobs, Listening
from connector.engine.postgresql.rows import fold
from connector.engine.postgresql.schema import migrate
from connector.engine.postgresql.writer import Committer
from connector.engine.store import Filter, PendingLines, StoreError
from connector.engine.tasks import Task, TaskState
from connector.model import JSON
from connector.timing import SYSTEM, Timing

__all__ = ["PostgreSQLStore"]

Result = TypeVar("Result")
KEYS_AT_A_TIME = 1_000
LEAD = """
INSERT INTO leaders AS known VALUES ($1, $2, now() + make_interval(secs => $3))
ON CONFLICT (name) DO UPDATE SET worker = excluded.worker, until = excluded.until
WHERE known.worker = excluded.worker OR known.until < now()
"""


class PostgreSQLStore:
    """As connector.engine.Store.

    Args:
        links: the connections.
        worker: a name that no other process has.
        wall: seconds since 1970.
        patience: seconds without a heartbeat after which a worker counts as gone.
        runs: whether it works on tasks, and does not only look after them.
    """

    def __init__(
        self, links: Links, *, worker: str, wall: Callable[[], float], patience: float, runs: bool = True
    ) -> None:
        self._links = links
        self._runs = runs
        self.worker = worker
        self._wall = wall
        self._jobs = Jobs(worker, patience)
        self._committer = Committer(links, self._jobs, worker, wall)
        self._listening = Listening(links)
        self._leasing = asyncio.Lock()
        """One at a time: of many at once each would find what the others have just locked."""

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
        """A store whose tables are there and up to date.

        Args:
            away: seconds for which a database that cannot be reached is waited for.
        """
        links = Links(url, patience=away, timing=timing)
        await links.open(migrate)
        name = worker or f"{socket.gethostname()}:{os.getpid()}:{uuid.uuid4().hex[:8]}"
        store = cls(links, worker=name, wall=wall, patience=patience, runs=runs)
        store._listening.start()
        return store

    async def close(self) -> None:
        await self._committer.close()
        await self._listening.close()
        with contextlib.suppress(StoreError, OSError, TimeoutError):
            await self._changing(lambda link: queue.give_back(link, self._jobs, self.worker, self._wall()))
            await self._changing(lambda link: fold(link, self.worker))
        await self._links.close()

    async def commit(self, change: Change) -> CommitResult:
        return await self._committer.commit(change)

    async def lease(self, route: str, most: int, *, limit: int = 0) -> Sequence[Task]:
        if not self._runs:
            raise StoreError("this process looks after tasks and does not work on them")
        if most < 1:
            return []
        async with self._leasing:
            return await self._changing(
                lambda link: queue.lease(link, route, most, limit, self._jobs, self.worker, self._wall())
            )

    async def renew_leases(self, ids: Sequence[int]) -> Sequence[int]:
        if not ids:
            return []
        return await self._changing(lambda link: queue.renew_leases(link, ids, self._jobs, self.worker))

    async def wait_for_change(self, seconds: float) -> None:
        await self._listening.wait(seconds)

    async def next_due(self, route: str) -> float | None:
        return await self._asked(lambda link: reader.next_due(link, route))

    async def claim(self, name: str, tick: str) -> bool:
        made: str = await self._asked(
            lambda link: link.execute("INSERT INTO claims VALUES ($1, $2) ON CONFLICT DO NOTHING", name, tick)
        )
        return made.endswith(" 1")

    async def lead(self, name: str, seconds: float) -> bool:
        made: str = await self._asked(lambda link: link.execute(LEAD, name, self.worker, seconds))
        return made.endswith(" 1")

    async def cursor(self, name: str) -> JSON:
        return (await self._asked(lambda link: reader.cursors(link, name))).get(name)

    async def cursors(self) -> Mapping[str, JSON]:
        return await self._asked(reader.cursors)

    async def record(self, space: str, key: str) -> JSON:
        return await self._asked(lambda link: reader.record(link, space, key))

    async def records(self, space: str) -> Mapping[str, JSON]:
        return await self._asked(lambda link: reader.records(link, space))

    async def spending(self, name: str, since: float) -> Expense:
        return await self._asked(lambda link: reader.spending(link, name, since))

    async def pending_files(self) -> Sequence[str]:
        return await self._asked(reader.pending_files)

    async def pending_lines(self, name: str, most: int) -> PendingLines:
        return await self._asked(lambda link: reader.pending_lines(link, name, most))

    async def counts(self, route: str = "") -> Mapping[str, Mapping[TaskState, int]]:
        return await self._asked(lambda link: reader.counts(link, route))

    async def oldest(self, route: str) -> float | None:
        return await self._asked(lambda link: reader.oldest(link, route))

    async def tasks(self, wanted: Filter, *, after: int = 0, limit: int = 100) -> Sequence[Task]:
        return await self._asked(lambda link: reader.tasks(link, wanted, after, limit))

    async def task(self, task: int) -> Task | None:
        return await self._asked(lambda link: reader.task(link, task))

    async def carried_tasks(self, carrier: int, *, after: int = 0, limit: int = 1000) -> Sequence[Task]:
        return await self._asked(lambda link: reader.carried_tasks(link, carrier, after, limit))

    async def vanished_keys(self, route: str, reading: int) -> AsyncGenerator[str, None]:
        after = ""
        while keys := await self._asked(
            partial(reader.keys_unseen, route=route, reading=reading, after=after, most=KEYS_AT_A_TIME)
        ):
            for key in keys:
                yield key
            after = keys[-1]

    async def retry(self, wanted: Filter, *, document: JSON = None) -> int:
        return await self._all(lambda link: admin.retry(link, wanted, document, self._jobs, self.worker, self._wall()))

    async def skip(self, wanted: Filter, reason: str) -> int:
        return await self._all(lambda link: admin.skip(link, wanted, reason, self._jobs, self.worker, self._wall()))

    async def purge(self, wanted: Filter, *, most: int = 10_000) -> int:
        gone = await self._changing(lambda link: admin.purge(link, wanted, most, self.worker))
        if await self.lead("pgqueuer's log", 60):
            await self._changing(self._jobs.tidy)
        return gone

    async def backup(self, to: Path) -> None:
        raise StoreError(
            f"PostgreSQL has its own ways to be backed up: pg_dump --schema=openai_connector, or a base backup; {to} "
            "was not written"
        )

    async def _asked(self, work: Callable[[Connection], Awaitable[Result]]) -> Result:
        async def attempt() -> Result:
            async with self._links.one() as link:
                return await work(link)

        return await self._links.persist(attempt)

    async def _changing(self, work: Callable[[Connection], Awaitable[Result]]) -> Result:
        """What a transaction gives; one whose end nobody saw is done again, so it must bear that."""

        async def within(link: Any) -> Result:
            async with link.transaction():
                return await work(link)

        return await self._asked(within)

    async def _all(self, work: Callable[[Connection], Awaitable[int]]) -> int:
        """The sum of transactions of a few thousand tasks each, until one finds nothing."""
        total = 0
        while found := await self._changing(work):
            total += found
        return total
