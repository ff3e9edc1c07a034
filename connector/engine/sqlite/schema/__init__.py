"""The tables, version by version: a file of any earlier version is brought up to this one in one transaction."""

from __future__ import annotations

from pathlib import Path

from connector.engine import points
from connector.engine.sqlite.driver import Connection
from connector.engine.sqlite.schema import v1, v2, v3
from connector.engine.store import StoreError

__all__ = ["APPLICATION", "VERSION", "bring_up", "checked"]

APPLICATION = 0x6F616963
"""What SQLite calls an application id: files of other programs are never touched."""
STEPS = (v1.STATEMENTS, v2.STATEMENTS, v3.STATEMENTS)
"""What leads from each version to the next; the first one from an empty file."""
VERSION = len(STEPS)


def checked(connection: Connection, path: Path) -> int:
    """The version of what is in the file; StoreError unless this program can work with it."""
    version, application = connection.pragma("user_version"), connection.pragma("application_id")
    ((tables,),) = connection.execute("SELECT count(*) FROM sqlite_schema").fetchall()
    if application != APPLICATION and (tables or version):
        raise StoreError(f"{path}: a database of another program; name another file for the engine")
    if version > VERSION:
        raise StoreError(
            f"{path}: written by a newer version (schema {version}; this one knows up to {VERSION}): "
            "install the newer version, or name another file for the engine"
        )
    return int(version)


def bring_up(connection: Connection, path: Path) -> None:
    """Makes the tables what this version needs; the caller is alone with the file."""
    with connection:
        for number in range(checked(connection, path), VERSION):
            connection.execute(STEPS[number])
            points.point("sqlite.migrate.written")
            connection.pragma("user_version", number + 1)
        connection.pragma("application_id", APPLICATION)
