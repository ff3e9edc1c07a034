"""Where a database may lie: under one name, in a folder with its log, for its owner alone."""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path

from connector.engine.sqlite.mounts import is_mounted
from connector.engine.store import StoreError, StoreFull

__all__ = ["check_place", "made_private", "refused"]

PASSING = {errno.ENOSPC, errno.EDQUOT, errno.EIO, errno.EROFS, errno.ENFILE, errno.EMFILE}
"""What goes away without a change of the configuration."""


def refused(error: OSError, path: Path) -> StoreError:
    """Return the error of a file that cannot be opened, of the class that says whether waiting helps."""
    reason = (error.strerror or "no reason given").lower()
    if error.errno in PASSING:
        return StoreFull(f"{path}: {reason}; nothing was done")
    return StoreError(f"{path}: the engine cannot open it: {reason}")


def check_place(path: Path) -> None:
    """StoreError when SQLite's log, which is beside a name, would not be that of the file."""
    if not path.exists():
        return
    names = path.stat().st_nlink
    if names > 1:
        raise StoreError(
            f"{path}: the file has {names} names (hard links), and what is committed under one of them is not seen "
            f"under the others; keep one: `find FOLDER -samefile {path}` shows them all"
        )
    if is_mounted(path):
        raise StoreError(
            f"{path}: the file is mounted by itself, without the log that lies beside it, so commits would be lost; "
            "mount its folder instead"
        )


def made_private(path: Path) -> None:
    """Make the file for its owner alone unless it is there; StoreError when it cannot be opened."""
    try:
        # One that is there is not opened: closing it would take SQLite's locks from it.
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
    except FileExistsError:
        if path.exists() and not stat.S_ISREG(path.stat().st_mode):
            raise StoreError(f"{path}: the engine cannot open it: it is no file") from None
    except OSError as error:
        raise refused(error, path) from None
