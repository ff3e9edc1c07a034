"""A consistent copy of the database, made while it is written to."""

from __future__ import annotations

from pathlib import Path
from typing import cast

import apsw

from connector.aio.atomic_file import replace_durably
from connector.engine import failpoints
from connector.engine.sqlite.database_file import create_private
from connector.engine.sqlite.driver import Connection, translate_error
from connector.engine.sqlite.identity import mark_copy
from connector.engine.store import StoreError

__all__ = ["back_up"]

PAGES = 1024
"""Pages copied in one step."""


def back_up(source: Connection, database: Path, to: Path) -> None:
    """Copy the database beside the target, then put the copy in the target's place."""
    if to.exists() and to.samefile(database):
        raise StoreError(f"{to}: that is the database itself; name another file for its copy")
    partial = to.with_name(to.name + ".partial")
    partial.unlink(missing_ok=True)
    try:
        create_private(partial)
        _copy(source, partial)
        replace_durably(partial, to)
    except apsw.Error as error:
        raise translate_error(error, partial) from None
    except OSError as error:
        raise StoreError(f"{to}: the copy cannot be written: {(error.strerror or 'no reason').lower()}") from None
    finally:
        partial.unlink(missing_ok=True)


def _copy(source: Connection, partial: Path) -> None:
    target = cast("Connection", apsw.Connection(str(partial)))
    try:
        # One read transaction pins the snapshot; otherwise a concurrent commit would restart the backup.
        with source, target.backup("main", source, "main") as backup:
            source.execute("SELECT 1 FROM sqlite_schema").fetchall()
            while not backup.done:
                backup.step(PAGES)
                failpoints.reach("sqlite.backup.step")
        mark_copy(target)
    finally:
        target.close()
