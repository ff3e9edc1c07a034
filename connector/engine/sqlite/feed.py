"""The feed of a file: triggers that note changed tasks in a ring, there only while somebody watches."""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import orjson

from connector.engine.feed import BLOCK_BITS, RANKS, Changes, Digest, TaskRow
from connector.engine.sqlite.driver import Row
from connector.engine.sqlite.reader import Reader
from connector.engine.sqlite.rows import CALLS, STATES, call_id_range, parse_call
from connector.engine.sqlite.session import Session
from connector.engine.sqlite.writer import Writer
from connector.engine.tasks import CallRecord, TaskState

__all__ = ["SqliteFeed", "drop_stale_feed"]

RING = 1 << 17
"""Changes that are kept; who falls further behind compares all tasks."""
MOST_BYTES = 8 * 2**20
"""Bytes of documents that are read at once, unless one is larger."""
TABLES = """
CREATE TABLE IF NOT EXISTS feed (number INTEGER PRIMARY KEY, task INTEGER NOT NULL, edited INTEGER NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS watchers (
    name TEXT PRIMARY KEY, until REAL NOT NULL, born TEXT NOT NULL
) STRICT, WITHOUT ROWID;
"""
NOTE = (
    "WHEN (SELECT max(until) FROM watchers) > unixepoch()"
    " BEGIN INSERT INTO feed (task, edited) VALUES ({row}.id, {edited});"
    f" DELETE FROM feed WHERE number = last_insert_rowid() - {RING}; END;"
)
TRIGGERS = {
    "feed_accepted": "AFTER INSERT ON tasks " + NOTE.format(row="new", edited=0),
    "feed_changed": "AFTER UPDATE ON tasks " + NOTE.format(row="new", edited=0),
    "feed_deleted": "AFTER DELETE ON tasks " + NOTE.format(row="old", edited=0),
    "feed_edited": "AFTER UPDATE OF document ON documents " + NOTE.format(row="new", edited=1),
}
HAS_FEED = "SELECT count(*) FROM sqlite_schema WHERE name = 'watchers'"
OTHERS = "SELECT born FROM watchers WHERE until > unixepoch() LIMIT 1"
WATCH = "INSERT OR REPLACE INTO watchers VALUES (?, unixepoch('subsec') + ?, ?)"
CHANGES = "SELECT number, task, edited FROM feed WHERE number > ? ORDER BY number"

TASK_ROWS = (
    "SELECT t.id, r.name, t.state, d.key, t.attempts, t.reason, d.created, t.updated, t.due FROM tasks t"
    " JOIN documents d ON d.id = t.id JOIN routes r ON r.id = t.route WHERE"
)
RANKED = " ".join(f"WHEN {code} THEN {RANKS[state]}" for code, state in enumerate(STATES))
DIGESTS = (
    f"SELECT id >> {BLOCK_BITS} AS block, count(*), sum(CAST(updated * 1000 AS INTEGER)),"
    " sum(CAST(due * 1000 AS INTEGER)), sum(attempts),"
    f" sum((id & {(1 << BLOCK_BITS) - 1}) * 8 + CASE state {RANKED} END), sum(length(reason))"
    " FROM tasks WHERE id BETWEEN ? AND ? GROUP BY block ORDER BY block"
)
DOCUMENTS = "SELECT id, document FROM documents WHERE id IN (SELECT value FROM json_each(?))"
SIZES = "SELECT id, length(document) FROM documents WHERE id > ? ORDER BY id LIMIT ?"
RANGE = "SELECT id, document FROM documents WHERE id BETWEEN ? AND ? ORDER BY id"


class SqliteFeed:
    """The feed of a store in a file."""

    def __init__(self, reader: Reader, writer: Writer) -> None:
        self._reader = reader
        self._writer = writer

    async def watch(self, watcher: str, seconds: float) -> None:
        await self._writer.submit(partial(_watch, watcher=watcher, seconds=seconds), ["watch"])

    async def unwatch(self, watcher: str) -> None:
        await self._writer.submit(partial(_unwatch, watcher=watcher), ["watch"])

    async def changes(self, mark: str) -> Changes:
        return await self._reader.run(self._changes, mark)

    async def newest(self) -> int:
        return int(await self._reader.run(self._reader.fetch_value, "SELECT max(id) FROM tasks") or 0)

    async def digests(self, first: int, last: int) -> Sequence[Digest]:
        rows = await self._reader.run(self._reader.fetch_all, DIGESTS, (first, last))
        return [Digest(*row) for row in rows]

    async def rows(self, ids: Sequence[int]) -> Sequence[TaskRow]:
        sql = f"{TASK_ROWS} t.id IN (SELECT value FROM json_each(?)) ORDER BY t.id"
        return await self._reader.run(self._rows, sql, (_dump(ids),))

    async def rows_between(self, first: int, last: int) -> Sequence[TaskRow]:
        return await self._reader.run(self._rows, f"{TASK_ROWS} t.id BETWEEN ? AND ? ORDER BY t.id", (first, last))

    async def documents(self, ids: Sequence[int]) -> Mapping[int, bytes]:
        return dict(await self._reader.run(self._reader.fetch_all, DOCUMENTS, (_dump(ids),)))

    async def documents_after(self, task: int, limit: int) -> Sequence[tuple[int, bytes]]:
        return await self._reader.run(self._documents_after, task, limit)

    async def calls(self, ids: Sequence[int]) -> Mapping[int, Sequence[CallRecord]]:
        return await self._reader.run(self._calls, ids)

    def _calls(self, ids: Sequence[int]) -> Mapping[int, Sequence[CallRecord]]:
        found = {task: self._reader.fetch_all(CALLS, call_id_range(task)) for task in ids}
        return {task: [parse_call(row) for row in rows] for task, rows in found.items() if rows}

    def _rows(self, sql: str, values: Sequence[Any]) -> Sequence[TaskRow]:
        return [
            TaskRow(number, route, _state(state), *rest)
            for number, route, state, *rest in self._reader.fetch_all(sql, values)
        ]

    def _documents_after(self, task: int, limit: int) -> Sequence[tuple[int, bytes]]:
        total, last = 0, 0
        for number, size in self._reader.fetch_all(SIZES, (task, limit)):
            total += size
            if last and total > MOST_BYTES:
                break
            last = number
        return [(number, document) for number, document in self._reader.fetch_all(RANGE, (task + 1, last))]

    def _changes(self, mark: str) -> Changes:
        if not self._reader.fetch_value(HAS_FEED) or not (born := self._reader.fetch_value(OTHERS)):
            return Changes("", whole=False)
        known, _, number = mark.partition(":")
        rows = self._reader.fetch_all(CHANGES, (int(number) if known == born else -1,))
        last = rows[-1][0] if rows else int(number) if known == born else 0
        if known != born or (rows and rows[0][0] != int(number) + 1):
            return Changes(f"{born}:{last}", whole=False)
        tasks = list(dict.fromkeys(task for _, task, _ in rows))
        return Changes(f"{born}:{last}", tasks, [task for _, task, edited in rows if edited])


def _watch(session: Session, watcher: str, seconds: float) -> None:
    """Extend a watch; a feed that was off for a while is a new one, as it has missed changes."""
    session.execute(TABLES)
    known: Row = session.fetch_one(OTHERS)
    if not known:
        session.execute("DELETE FROM feed")
        session.execute("DELETE FROM watchers")
    for name, what in TRIGGERS.items():
        session.execute(f"CREATE TRIGGER IF NOT EXISTS {name} {what}")
    session.execute(WATCH, (watcher, seconds, known[0] if known else secrets.token_hex(8)))


def drop_stale_feed(session: Session) -> None:
    """Drop what a watcher that was killed has left."""
    if session.fetch_one(HAS_FEED)[0] and not session.fetch_one(OTHERS):
        _drop_feed(session)


def _unwatch(session: Session, watcher: str) -> None:
    """End a watch; the last one takes the triggers with it."""
    if not session.fetch_one(HAS_FEED)[0]:
        return
    session.execute("DELETE FROM watchers WHERE name = ? OR until <= unixepoch()", (watcher,))
    if not session.fetch_one("SELECT 1 FROM watchers LIMIT 1"):
        _drop_feed(session)


def _drop_feed(session: Session) -> None:
    """Drop the triggers and their tables."""
    for name in TRIGGERS:
        session.execute(f"DROP TRIGGER IF EXISTS {name}")
    session.execute("DROP TABLE IF EXISTS feed")
    session.execute("DROP TABLE IF EXISTS watchers")


def _state(code: int) -> TaskState:
    return STATES[code]


def _dump(ids: Sequence[int]) -> str:
    return orjson.dumps(list(ids)).decode()
