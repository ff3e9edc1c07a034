"""Connections that commit durably."""

from __future__ import annotations

from pathlib import Path
from typing import cast

import apsw

from connector.engine.sqlite.driver import DISK, Connection, translate_error
from connector.engine.sqlite.schema import check_version

__all__ = ["check_integrity", "connect"]

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
"""Checkpoints are the writer's; a grown log is truncated; 32 MB of pages; sorting happens in memory."""
SMALL = 16 * 2**20
"""Bytes up to which a file is checked as a whole."""


def connect(path: Path, *, reading: bool = False) -> Connection:
    """Open a connection that commits durably; one for reading never writes."""
    try:
        opened = apsw.Connection(str(path), statementcachesize=200)
        opened.set_busy_timeout(PATIENCE)
        # Closing must not checkpoint: after a failure that could write wrong pages.
        opened.config(apsw.SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1)
        connection = cast("Connection", opened)
        check_version(connection, path)
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute(DURABLE)
        # One by one: a statement that returns a row, as some of these do, would stop the ones after it.
        for name, value in SETTINGS.items():
            connection.pragma(name, value)
        connection.pragma("query_only", int(reading))
    except DISK as error:
        raise translate_error(error, path) from None
    return connection


def check_integrity(connection: Connection, path: Path) -> None:
    """Raise StoreBroken when the file is damaged; of a large file only the small tables are checked."""
    whole = path.stat().st_size <= SMALL
    try:
        for what in [""] if whole else ["('meta')", "('routes')", "('counts')", "('cursors')", "('claims')"]:
            found = connection.execute(f"PRAGMA quick_check{what}").fetchall()
            if found != [("ok",)]:
                raise apsw.CorruptError(str(found[0][0]).lower())
    except DISK as error:
        raise translate_error(error, path) from None
