"""The file of the index: rows in every order, by route and state, and the trigrams of documents.

It can be lost at any time: what is in it is made from the store. Each order has an index that begins with route and
state, so that no filter on these must read past tasks of others.
"""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import TypeVar, cast

import apsw

from connector.engine.feed import BLOCK_BITS, RANKS, Digest, TaskRow
from connector.engine.search.query import COLUMNS
from connector.engine.sqlite.driver import Connection
from connector.engine.store import StoreError

__all__ = ["IndexFile"]

Result = TypeVar("Result")
VERSION = 1
APPLICATION = 0x6F616964
"""SQLite's application id of an index."""
SETTINGS = {
    "journal_mode": "WAL",
    "synchronous": "NORMAL",
    "cache_size": -48 * 2**10,
    "temp_store": 2,
    "wal_autocheckpoint": 8_000,
}
"""The index survives a crash; what a power cut takes is found missing when it is compared."""
PATIENCE = 5_000
"""Milliseconds for which a write waits for another process."""
KEPT_LOG = 32 * 2**20
TABLES = f"""
CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE routes (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE) STRICT;
CREATE TABLE rows (
    id INTEGER PRIMARY KEY, route INTEGER NOT NULL, state INTEGER NOT NULL, key TEXT NOT NULL,
    attempts INTEGER NOT NULL, reason TEXT NOT NULL, created REAL NOT NULL, updated REAL NOT NULL, due REAL NOT NULL
) STRICT;
{"".join(f"CREATE INDEX by_{each} ON rows (route, state, {each}, id);" for each in COLUMNS[3:6])}
CREATE INDEX by_created ON rows (route, state, created, id, updated);
CREATE INDEX by_updated ON rows (route, state, updated, id, created);
CREATE INDEX by_due ON rows (route, state, due, id);
CREATE INDEX by_id ON rows (route, state, id);
CREATE VIRTUAL TABLE text USING fts5(
    body, tokenize = 'trigram', detail = 'none', content = '', contentless_delete = 1
);
"""
NAMES = "key, attempts, reason, created, updated, due"
PUT = (
    f"INSERT INTO rows (id, route, state, {NAMES}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO UPDATE SET"
    " route = excluded.route, state = excluded.state, key = excluded.key, attempts = excluded.attempts,"
    " reason = excluded.reason, created = excluded.created, updated = excluded.updated, due = excluded.due"
    " WHERE (rows.updated, rows.state, rows.attempts, rows.due, rows.reason)"
    " IS NOT (excluded.updated, excluded.state, excluded.attempts, excluded.due, excluded.reason)"
    " OR (rows.route, rows.key, rows.created) IS NOT (excluded.route, excluded.key, excluded.created)"
)  # fmt: skip
DIGESTS = (
    f"SELECT id >> {BLOCK_BITS} AS block, count(*), sum(CAST(updated * 1000 AS INTEGER)),"
    " sum(CAST(due * 1000 AS INTEGER)), sum(attempts),"
    f" sum((id & {(1 << BLOCK_BITS) - 1}) * 8 + state), sum(length(reason)) FROM rows"
    " WHERE id BETWEEN ? AND ? GROUP BY block"
)  # fmt: skip
STALE = "SELECT id FROM rows WHERE id BETWEEN ? AND ?"
KNOWN = "SELECT id, updated, state, attempts FROM rows WHERE id BETWEEN ? AND ?"
META = "INSERT INTO meta VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value"


class IndexFile:
    """A file with a connection that writes and one that reads, each in a thread of its own.

    Args:
        path: the file; made anew when it is missing, damaged or of another version.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = -1
        self._writing = ThreadPoolExecutor(1, "index-writing")
        self._reading = ThreadPoolExecutor(1, "index-reading")
        self._routes: dict[str, int] = {}
        self._write_connection = self._open()
        self.reader = self._connect()
        self.reader.pragma("query_only", 1)

    @property
    def keeps(self) -> bool:
        """Whether this process, of all that use the file, brings it up to date."""
        return self._lock >= 0

    def try_keep(self) -> bool:
        """Become the one that brings the file up to date, unless another process is."""
        if self._lock < 0:
            lock = os.open(self.path.with_name(self.path.name + ".lock"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                os.close(lock)
            else:
                self._lock = lock
        return self.keeps

    async def close(self) -> None:
        """End the threads and close the file."""
        await asyncio.to_thread(self._writing.shutdown)
        await asyncio.to_thread(self._reading.shutdown)
        self.reader.close()
        self._write_connection.close()
        if self._lock >= 0:
            os.close(self._lock)
            self._lock = -1

    async def read(self, work: Callable[[], Result]) -> Result:
        """Run work that only reads."""
        return await asyncio.get_running_loop().run_in_executor(self._reading, self._guard, work)

    async def write(self, work: Callable[[], Result]) -> Result:
        """Run work in a transaction."""
        return await asyncio.get_running_loop().run_in_executor(
            self._writing, self._guard, partial(self._transact, work)
        )

    def _guard(self, work: Callable[[], Result]) -> Result:
        """Run work; an error of the file says that it may be removed."""
        try:
            return work()
        except apsw.Error as error:
            raise StoreError(
                f"{self.path}: the search index cannot be used: {error}; the tasks are safe. Remove it while no "
                "studio is open: it is made anew"
            ) from None

    def _transact(self, work: Callable[[], Result]) -> Result:
        try:
            self._write_connection.execute("BEGIN IMMEDIATE")
            result = work()
            self._write_connection.execute("COMMIT")
        except BaseException:
            if self._write_connection.in_transaction:
                self._write_connection.execute("ROLLBACK")
            self._routes.clear()
            raise
        return result

    def put_rows(self, rows: Sequence[TaskRow], gone: Iterable[int] = ()) -> None:
        """Write rows, and delete tasks that are gone; for `write`."""
        for row in rows:
            if row.route not in self._routes:
                self._routes[row.route] = self._route_id(row.route)
        self._write_connection.cursor().executemany(
            PUT, [(row.id, self._routes[row.route], RANKS[row.state], *row[3:]) for row in rows]
        )
        self._delete(gone)

    def put_block(self, block: int, rows: Sequence[TaskRow]) -> None:
        """Make a block what these rows are; for `write`."""
        first = block << BLOCK_BITS
        known = self._write_connection.execute(STALE, (first, first + (1 << BLOCK_BITS) - 1)).fetchall()
        self.put_rows(rows, {number for (number,) in known}.difference(row.id for row in rows))

    def find_changed(self, block: int, rows: Sequence[TaskRow]) -> Sequence[int]:
        """Return the tasks of a block whose rows are others than these; for `write`."""
        first = block << BLOCK_BITS
        known = set(self._write_connection.execute(KNOWN, (first, first + (1 << BLOCK_BITS) - 1)).fetchall())
        return [row.id for row in rows if (row.id, row.updated, RANKS[row.state], row.attempts) not in known]

    def put_documents(self, documents: Iterable[tuple[int, bytes]]) -> None:
        """Write the trigrams of documents, in place of what was known of them; for `write`."""
        self._write_connection.cursor().executemany(
            "INSERT OR REPLACE INTO text (rowid, body) VALUES (?, ?)",
            ((number, document.decode(errors="replace")) for number, document in documents),
        )

    def put_meta(self, name: str, value: str) -> None:
        """Write a small value; for `write`."""
        self._write_connection.execute(META, (name, value))

    def meta(self) -> Mapping[str, str]:
        """Return the small values; for `write`."""
        return dict(self._write_connection.execute("SELECT name, value FROM meta").fetchall())

    def digests(self, first: int, last: int) -> Sequence[Digest]:
        """Return a digest of each block between two tasks; for `write`, which no page waits for."""
        return [Digest(*row) for row in self._write_connection.execute(DIGESTS, (first, last)).fetchall()]

    def count(self) -> int:
        """Return how many tasks there are; for `read`."""
        return int(self.reader.execute("SELECT count(*) FROM rows").fetchall()[0][0])

    def newest(self) -> int:
        """Return the highest id; for `read`."""
        return int(self.reader.execute("SELECT max(id) FROM rows").fetchall()[0][0] or 0)

    def _delete(self, gone: Iterable[int]) -> None:
        ids = [(number,) for number in gone]
        if ids:
            self._write_connection.cursor().executemany("DELETE FROM rows WHERE id = ?", ids)
            self._write_connection.cursor().executemany("DELETE FROM text WHERE rowid = ?", ids)

    def _route_id(self, name: str) -> int:
        self._write_connection.execute("INSERT INTO routes (name) VALUES (?) ON CONFLICT DO NOTHING", (name,))
        return int(self._write_connection.execute("SELECT id FROM routes WHERE name = ?", (name,)).fetchall()[0][0])

    def _open(self) -> Connection:
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with contextlib.suppress(FileExistsError):
                os.close(os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
            try:
                return self._prepare()
            except (apsw.NotADBError, apsw.CorruptError, apsw.SQLError):
                self._remove()
                return self._prepare()
        except (OSError, apsw.Error) as error:
            raise StoreError(f"{self.path}: the index of tasks cannot be kept there: {error}") from None

    def _prepare(self) -> Connection:
        connection = self._connect()
        version, application = connection.pragma("user_version"), connection.pragma("application_id")
        if (version, application) == (VERSION, APPLICATION):
            return connection
        if application not in (0, APPLICATION):
            connection.close()
            raise StoreError(f"{self.path}: a file of another program is where the index of tasks should be; move it")
        if version:
            connection.close()
            self._remove()
            connection = self._connect()
        with connection:
            connection.execute(TABLES)
            connection.pragma("user_version", VERSION)
            connection.pragma("application_id", APPLICATION)
        return connection

    def _connect(self) -> Connection:
        opened = apsw.Connection(str(self.path), statementcachesize=200)
        opened.set_busy_timeout(PATIENCE)
        connection = cast("Connection", opened)
        for name, value in {**SETTINGS, "journal_size_limit": KEPT_LOG}.items():
            connection.pragma(name, value)
        return connection

    def _remove(self) -> None:
        for tail in ("", "-wal", "-shm"):
            self.path.with_name(self.path.name + tail).unlink(missing_ok=True)
