"""A connection to the file: whoever commits through it has it on the disk."""

from __future__ import annotations

from pathlib import Path
from typing import cast

import apsw

from connector.engine import failpoints
from connector.engine.sqlite.driver import DISK, Connection, meaning
from connector.engine.sqlite.schema import checked

__all__ = ["Checkpoints", "connect", "sound"]

PATIENCE = 10_000
"""Milliseconds for which a commit waits for another process."""
DURABLE = "PRAGMA synchronous = FULL"
"""Every commit is on the disk before it returns."""
SETTINGS = {
    "wal_autocheckpoint": 0,
    "journal_size_limit": 64 * 2**20,
    "cache_size": -32 * 2**10,
    "temp_store": 2,
}
"""Checkpoints are the writer's; a log that has grown is cut; 32 MB of pages; sorting happens in memory."""
SMALL = 16 * 2**20
"""Bytes up to which a file is read whole before it is trusted."""


def connect(path: Path, *, reading: bool = False) -> Connection:
    """A connection that commits durably; one for reading never writes."""
    try:
        opened = apsw.Connection(str(path), statementcachesize=200)
        opened.set_busy_timeout(PATIENCE)
        # Closing must not touch the file: after a failure it would write what may be wrong.
        opened.config(apsw.SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1)
        connection = cast("Connection", opened)
        checked(connection, path)
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute(DURABLE)
        # One by one: what gives a row, as some of these do, would keep the statements after it from being done.
        for name, value in SETTINGS.items():
            connection.pragma(name, value)
        connection.pragma("query_only", int(reading))
    except DISK as error:
        raise meaning(error, path) from None
    return connection


def sound(connection: Connection, path: Path) -> None:
    """StoreBroken when the file is damaged, as far as that can be seen without reading all of a large one."""
    whole = path.stat().st_size <= SMALL
    try:
        for what in [""] if whole else ["('meta')", "('routes')", "('counts')", "('cursors')", "('claims')"]:
            found = connection.execute(f"PRAGMA quick_check{what}").fetchall()
            if found != [("ok",)]:
                raise apsw.CorruptError(str(found[0][0]).lower())
    except DISK as error:
        raise meaning(error, path) from None


CHECKPOINT_PAGES = 4000
"""Pages in the log (16 MB) from which on they are moved."""
RETRY_PAGES = 1000
"""Pages that the log must have grown by before it is tried again, when a reader keeps it from being begun anew."""


class Checkpoints:
    """Empties the log when it has grown; by the hand of the writer, who alone can do so while there is much to do."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._pages = 0
        self._next = CHECKPOINT_PAGES
        connection.set_wal_hook(self._grown)

    def keep_up(self) -> None:
        """Moves pages when there are enough; when that fails it is tried again after a while."""
        if self._pages < self._next:
            return
        self._next = self._pages + RETRY_PAGES
        failpoints.reach("sqlite.checkpoint.before")
        self._connection.wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_PASSIVE)
        failpoints.reach("sqlite.checkpoint.after")

    def _grown(self, connection: Connection, name: str, pages: int) -> int:
        """Told by SQLite how long the log is after a commit; it is short again once it was begun anew."""
        del connection, name
        if pages < self._pages:
            self._next = CHECKPOINT_PAGES
        self._pages = pages
        return apsw.SQLITE_OK
