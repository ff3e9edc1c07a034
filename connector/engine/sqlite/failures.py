"""What SQLite's errors mean to those who keep tasks: no space, broken, or a change that is wrong by itself."""

from __future__ import annotations

from pathlib import Path

import apsw

from connector.engine.store import StoreBroken, StoreError, StoreFull

__all__ = ["DISK", "meaning"]

BROKEN = (apsw.CorruptError, apsw.NotADBError)
DISK = (
    *BROKEN,
    apsw.BusyError,
    apsw.CantOpenError,
    apsw.FullError,
    apsw.IOError,
    apsw.LockedError,
    apsw.NoMemError,
    apsw.PermissionsError,
    apsw.ReadOnlyError,
)
"""Errors of the file and its disk, whatever is written."""
UNSYNCED = {apsw.SQLITE_IOERR_FSYNC, apsw.SQLITE_IOERR_DIR_FSYNC}


def meaning(error: Exception, path: Path) -> StoreError:
    """The error as a sentence, of the class that says what can be done about it."""
    if isinstance(error, BROKEN):
        return StoreBroken(f"{path}: damaged ({error}); stop, and put a backup in its place")
    if isinstance(error, apsw.IOError) and getattr(error, "extendedresult", 0) in UNSYNCED:
        # What the system could not write it may have forgotten, and a second try would not tell: start anew.
        return StoreBroken(f"{path}: the disk did not take what was written ({error}); start again once it is sound")
    if isinstance(error, apsw.ReadOnlyError):
        return StoreFull(f"{path}: it cannot be written, the file or its disk is read-only; nothing was done")
    if isinstance(error, apsw.FullError):
        return StoreFull(f"{path}: the disk is full; nothing was done")
    if isinstance(error, apsw.BusyError):
        return StoreFull(f"{path}: another process keeps it locked; nothing was done")
    if isinstance(error, DISK):
        return StoreFull(f"{path}: the disk failed ({error}); nothing was done")
    return StoreError(f"{path}: refused ({type(error).__name__}: {error}); nothing was done")
