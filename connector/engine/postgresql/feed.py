"""The feed of a database: triggers that note changed tasks, there only while somebody watches.

A change carries the number of its transaction, as transactions end in another order than they begin: who reads goes on
from the oldest that was still open, and sees some changes twice.
"""

from __future__ import annotations

import secrets
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, Protocol, TypeVar

from connector.engine.feed import BLOCK_BITS, RANKS, Changes, Digest, TaskRow
from connector.engine.postgresql.connection import SCHEMA, Connection
from connector.engine.postgresql.queue import read_calls
from connector.engine.tasks import CallRecord, TaskState

__all__ = ["PostgreSQLFeed"]

Result = TypeVar("Result")
MOST_BYTES = 8 * 2**20
"""Bytes of documents that are read at once, unless one is larger."""
LOCK = 0x6F70_656E_6665
"""The advisory lock of those who set the feed up or end it."""
NOTED = 300_000
"""Changes that are read at once; who falls further behind compares all tasks."""
TABLES = f"""
CREATE UNLOGGED TABLE IF NOT EXISTS feed (
    xid xid8 NOT NULL DEFAULT pg_current_xact_id(), task bigint NOT NULL, edited boolean NOT NULL DEFAULT false
);
CREATE INDEX IF NOT EXISTS feed_by_transaction ON feed (xid);
CREATE UNLOGGED TABLE IF NOT EXISTS watchers (
    name text PRIMARY KEY, until timestamptz NOT NULL, born text NOT NULL, seen xid8 NOT NULL DEFAULT '0'
);
CREATE OR REPLACE FUNCTION note_changes() RETURNS trigger LANGUAGE plpgsql SET search_path = {SCHEMA} AS $note$
BEGIN
    IF EXISTS (SELECT FROM watchers WHERE until > now()) THEN
        INSERT INTO feed (task) SELECT id FROM changed;
    END IF;
    RETURN NULL;
END $note$;
CREATE OR REPLACE FUNCTION note_edit() RETURNS trigger LANGUAGE plpgsql SET search_path = {SCHEMA} AS $note$
BEGIN
    INSERT INTO feed (task, edited) VALUES (NEW.id, true);
    RETURN NULL;
END $note$;
"""  # noqa: S608  a name of ours
TRIGGERS = {
    "feed_accepted": "AFTER INSERT ON tasks REFERENCING NEW TABLE AS changed FOR EACH STATEMENT",
    "feed_changed": "AFTER UPDATE ON tasks REFERENCING NEW TABLE AS changed FOR EACH STATEMENT",
    "feed_deleted": "AFTER DELETE ON tasks REFERENCING OLD TABLE AS changed FOR EACH STATEMENT",
}
EDITED = (
    "CREATE TRIGGER feed_edited AFTER UPDATE OF document ON tasks FOR EACH ROW"
    " WHEN (OLD.document IS DISTINCT FROM NEW.document) EXECUTE FUNCTION note_edit()"
)
HAS_FEED = f"SELECT to_regclass('{SCHEMA}.watchers') IS NOT NULL"
HAS_TRIGGERS = "SELECT count(*) FROM pg_trigger WHERE tgname LIKE 'feed\\_%' AND tgrelid = 'tasks'::regclass"
OTHERS = "SELECT born FROM watchers WHERE until > now() LIMIT 1"
WATCH = """
INSERT INTO watchers AS known VALUES ($1, now() + make_interval(secs => $2), $3)
ON CONFLICT (name) DO UPDATE SET until = excluded.until, born = excluded.born
"""
PRUNE = "DELETE FROM feed WHERE xid < (SELECT min(seen) FROM watchers WHERE until > now())"
CHANGES = f"""
SELECT task, bool_or(edited) AS edited, pg_snapshot_xmin(pg_current_snapshot())::text AS next
FROM (SELECT task, edited FROM feed WHERE xid >= $1::text::xid8 LIMIT {NOTED}) AS noted GROUP BY task
"""  # noqa: S608  a number of ours
NEXT = "SELECT pg_snapshot_xmin(pg_current_snapshot())::text"
ROW = "id, route, state, key, attempts, reason, created, updated, due"
RANKED = " ".join(f"WHEN '{state.value}' THEN {rank}" for state, rank in RANKS.items())
DIGESTS = f"""
SELECT id >> {BLOCK_BITS} AS block, count(*) AS tasks, sum(trunc(updated * 1000)::bigint)::bigint AS updated,
    sum(trunc(due * 1000)::bigint)::bigint AS due, sum(attempts)::bigint AS attempts,
    sum((id & {(1 << BLOCK_BITS) - 1}) * 8 + CASE state {RANKED} END)::bigint AS states,
    sum(length(reason))::bigint AS reasons
FROM tasks WHERE id BETWEEN $1 AND $2 GROUP BY block ORDER BY block
"""  # noqa: S608  numbers and names of ours
SIZES = "SELECT id, octet_length(document) AS size FROM tasks WHERE id > $1 ORDER BY id LIMIT $2"
RANGE = "SELECT id, document FROM tasks WHERE id BETWEEN $1 AND $2 ORDER BY id"


class Query(Protocol):
    """Runs work on a connection, again when that was lost."""

    def __call__(self, work: Callable[[Connection], Awaitable[Result]], /) -> Awaitable[Result]: ...


class PostgreSQLFeed:
    """The feed of a store in a database.

    Args:
        query: runs work on a connection.
        transact: runs work in a transaction.
    """

    def __init__(self, query: Query, transact: Query) -> None:
        self._query = query
        self._transact = transact
        self._seen = ""

    async def watch(self, watcher: str, seconds: float) -> None:
        async def work(connection: Connection) -> None:
            await _watch(connection, watcher, seconds, self._seen)

        await self._transact(work)

    async def unwatch(self, watcher: str) -> None:
        async def work(connection: Connection) -> None:
            await _unwatch(connection, watcher)

        await self._transact(work)

    async def changes(self, mark: str) -> Changes:
        async def work(connection: Connection) -> Changes:
            return await _changes(connection, mark)

        found = await self._query(work)
        self._seen = found.mark.partition(":")[2]
        return found

    async def newest(self) -> int:
        return int((await self._fetch("SELECT coalesce(max(id), 0) FROM tasks"))[0][0])

    async def digests(self, first: int, last: int) -> Sequence[Digest]:
        return [Digest(*row) for row in await self._fetch(DIGESTS, first, last)]

    async def rows(self, ids: Sequence[int]) -> Sequence[TaskRow]:
        return await self._rows(f"SELECT {ROW} FROM tasks WHERE id = ANY($1::bigint[]) ORDER BY id", list(ids))  # noqa: S608

    async def rows_between(self, first: int, last: int) -> Sequence[TaskRow]:
        return await self._rows(f"SELECT {ROW} FROM tasks WHERE id BETWEEN $1 AND $2 ORDER BY id", first, last)  # noqa: S608

    async def documents(self, ids: Sequence[int]) -> Mapping[int, bytes]:
        rows = await self._fetch("SELECT id, document FROM tasks WHERE id = ANY($1::bigint[])", list(ids))
        return {row["id"]: row["document"] for row in rows}

    async def documents_after(self, task: int, limit: int) -> Sequence[tuple[int, bytes]]:
        total, last = 0, 0
        for row in await self._fetch(SIZES, task, limit):
            total += row["size"]
            if last and total > MOST_BYTES:
                break
            last = row["id"]
        return [(row["id"], row["document"]) for row in await self._fetch(RANGE, task + 1, last)]

    async def calls(self, ids: Sequence[int]) -> Mapping[int, Sequence[CallRecord]]:
        async def work(connection: Connection) -> Mapping[int, Sequence[CallRecord]]:
            return await read_calls(connection, ids)

        return await self._query(work)

    async def _rows(self, sql: str, *values: object) -> Sequence[TaskRow]:
        return [
            TaskRow(number, route, TaskState(state), *rest)
            for number, route, state, *rest in await self._fetch(sql, *values)
        ]

    async def _fetch(self, sql: str, *values: object) -> Sequence[Any]:
        async def work(connection: Connection) -> Sequence[Any]:
            return await connection.fetch(sql, *values)

        return await self._query(work)


async def _watch(connection: Connection, watcher: str, seconds: float, seen: str) -> None:
    """Extend a watch; a feed that was off for a while is a new one, as it has missed changes."""
    await connection.execute("SELECT pg_advisory_xact_lock($1)", LOCK)
    await connection.execute("SET LOCAL lock_timeout = '2s'")
    if await connection.fetchval(HAS_TRIGGERS) <= len(TRIGGERS):
        await _install(connection)
    born = await connection.fetchval(OTHERS)
    if born is None:
        # Who writes now has not noted it: what is read next must show it.
        await connection.execute("LOCK TABLE tasks IN SHARE ROW EXCLUSIVE MODE")
        await connection.execute("TRUNCATE feed, watchers")
    await connection.execute(WATCH, watcher, seconds, born or secrets.token_hex(8))
    if seen:
        await connection.execute("UPDATE watchers SET seen = $2::text::xid8 WHERE name = $1", watcher, seen)
        await connection.execute(PRUNE)


async def _install(connection: Connection) -> None:
    await connection.execute(TABLES)
    for name, what in TRIGGERS.items():
        await connection.execute(f"DROP TRIGGER IF EXISTS {name} ON tasks")
        await connection.execute(f"CREATE TRIGGER {name} {what} EXECUTE FUNCTION note_changes()")
    await connection.execute("DROP TRIGGER IF EXISTS feed_edited ON tasks")
    await connection.execute(EDITED)


async def _unwatch(connection: Connection, watcher: str) -> None:
    """End a watch; the last one takes the triggers with it."""
    await connection.execute("SELECT pg_advisory_xact_lock($1)", LOCK)
    if not await connection.fetchval(HAS_FEED):
        return
    await connection.execute("DELETE FROM watchers WHERE name = $1 OR until <= now()", watcher)
    if await connection.fetchval("SELECT count(*) FROM watchers"):
        return
    await connection.execute("SET LOCAL lock_timeout = '2s'")
    for name in (*TRIGGERS, "feed_edited"):
        await connection.execute(f"DROP TRIGGER IF EXISTS {name} ON tasks")
    await connection.execute("DROP TABLE IF EXISTS feed, watchers")
    await connection.execute("DROP FUNCTION IF EXISTS note_changes(), note_edit()")


async def _changes(connection: Connection, mark: str) -> Changes:
    if not await connection.fetchval(HAS_FEED) or not (born := await connection.fetchval(OTHERS)):
        return Changes("", whole=False)
    known, _, since = mark.partition(":")
    if known != born:
        return Changes(f"{born}:{await connection.fetchval(NEXT)}", whole=False)
    # The oldest open transaction is asked for first: what begins later is seen with the next question.
    following = await connection.fetchval(NEXT)
    rows = await connection.fetch(CHANGES, since)
    if len(rows) >= NOTED:
        return Changes(f"{born}:{following}", whole=False)
    return Changes(f"{born}:{following}", [row["task"] for row in rows], [row["task"] for row in rows if row["edited"]])
