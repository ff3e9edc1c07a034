"""The part of apsw that is used here, as protocols, and what its errors mean."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol, Self

import apsw

from connector.engine.store import StoreBroken, StoreError, StoreFull

__all__ = ["DISK", "Connection", "Cursor", "Row", "Values", "translate_error"]

Row = tuple[Any, ...]
Values = Sequence[Any] | Mapping[str, Any]


class Cursor(Protocol):
    """A cursor."""

    def execute(self, sql: str, values: Values = (), /) -> Self: ...
    def executemany(self, sql: str, values: Iterable[Sequence[Any]], /) -> Self: ...
    def fetchall(self) -> list[Row]: ...


class Backup(Protocol):
    """A backup that is made step by step."""

    @property
    def done(self) -> bool: ...
    def step(self, pages: int, /) -> bool: ...
    def __enter__(self) -> Self: ...
    def __exit__(self, *_: object) -> object: ...


class Connection(Protocol):
    """A connection to a file."""

    @property
    def in_transaction(self) -> bool: ...
    def backup(self, target: str, source: Connection, name: str, /) -> Backup: ...
    def close(self) -> None: ...
    def cursor(self) -> Cursor: ...
    def execute(self, sql: str, values: Values = (), /) -> Cursor: ...
    def pragma(self, name: str, value: Any = None, /) -> Any: ...
    def set_progress_handler(self, handler: Callable[[], bool] | None, steps: int = 20, /) -> None: ...
    def set_wal_hook(self, hook: Callable[[Any, str, int], int], /) -> None: ...
    def total_changes(self) -> int: ...
    def wal_checkpoint(self, *, mode: int) -> tuple[int, int]: ...
    def __enter__(self) -> Self: ...
    def __exit__(self, *_: object) -> object: ...


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
"""Errors of the file or its disk, for any statement."""
UNSYNCED = {apsw.SQLITE_IOERR_FSYNC, apsw.SQLITE_IOERR_DIR_FSYNC}


def translate_error(error: Exception, path: Path) -> StoreError:
    """Return an error of SQLite as the StoreError that says what can be done about it."""
    if isinstance(error, BROKEN):
        return StoreBroken(f"{path}: damaged ({error}); stop, and put a backup in its place")
    if isinstance(error, apsw.IOError) and getattr(error, "extendedresult", 0) in UNSYNCED:
        # The system may have dropped the pages that it could not write, and a second sync would not report it.
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
