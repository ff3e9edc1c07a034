"""Group commit: changes that come while one transaction is under way go together in the next."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from connector.engine import points
from connector.engine.change import Change, Committed
from connector.engine.postgresql.connecting import Away
from connector.engine.postgresql.writing import Lost, named_in, write
from connector.engine.store import Fenced, StoreBroken, StoreFull

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from connector.engine.postgresql.connecting import Links
    from connector.engine.postgresql.connection import Connection
    from connector.engine.postgresql.jobs import Jobs

__all__ = ["Committer"]

MOST_CHANGES = 1_000


@dataclass(frozen=True, slots=True)
class Asked:
    """A change that waits for its transaction."""

    change: Change
    done: asyncio.Future[Committed]


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

    async def commit(self, change: Change) -> Committed:
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

    async def _write(self, group: Sequence[Asked], connection: Connection) -> list[Committed]:
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

    def __init__(self, links: Links, write: Callable[[Connection], Awaitable[list[Committed]]]) -> None:
        self._links = links
        self._write = write
        self._transaction: str | None = None
        self._given: list[Committed] = []

    async def attempt(self) -> list[Committed]:
        async with self._links.one() as connection:
            if self._transaction is not None and await _is_committed(connection, self._transaction):
                return self._given
            self._transaction = None
            transaction = connection.transaction()
            await transaction.start()
            try:
                number = await connection.fetchval("SELECT pg_current_xact_id()::text")
                self._given = await self._write(connection)
                points.point("postgresql.commit.before")
            except BaseException:
                await _undo(transaction, self._links)
                raise
            self._transaction = number
            await transaction.commit()
            points.point("postgresql.commit.after")
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
