"""The database file: where it may be, and a lock on its inode, which holds for every name."""

from __future__ import annotations

import errno
import fcntl
import os
import re
import stat
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from connector.engine.store import StoreError, StoreFull

__all__ = ["DatabaseFile", "check_location", "create_private", "find_mount", "is_mounted", "open_error"]

Inode = tuple[int, int]
SHARED = ("nfs", "nfs4", "cifs", "smb3", "9p")
"""File systems where `flock` conflicts with SQLite's own locks."""


@dataclass(slots=True)
class _Descriptor:
    """A descriptor shared by the process: closing any descriptor of a file drops SQLite's locks on it."""

    descriptor: int
    users: int = 0
    locked: bool = False


_descriptors: dict[Inode, _Descriptor] = {}
_guard = threading.Lock()


class DatabaseFile:
    """The file of a name when it is opened; held open until it is closed.

    Args:
        path: the name, without links.

    Attributes:
        inode: the file's device and number; None while it is not open.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.inode: Inode | None = None
        self._locks = False

    def open(self) -> None:
        """Hold the file open; raise OSError when that fails."""
        with _guard:
            inode = _read_inode(self.path)
            if inode not in _descriptors:
                _descriptors[inode] = _Descriptor(os.open(self.path, os.O_RDWR | os.O_CLOEXEC))
            _descriptors[inode].users += 1
            self.inode = inode

    def lock(self) -> bool:
        """Lock the file for every name of it; return whether this instance holds the lock now."""
        with _guard:
            found = _descriptors[self.inode] if self.inode is not None else None
            if found is None or self._locks or not _is_lockable(found.descriptor):
                return True
            if found.locked:
                return False
            try:
                fcntl.flock(found.descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return False
            found.locked = self._locks = True
            return True

    def unlock(self) -> None:
        """Release the lock; the file stays open."""
        with _guard:
            if self._locks and self.inode is not None:
                found = _descriptors[self.inode]
                fcntl.flock(found.descriptor, fcntl.LOCK_UN)
                found.locked = self._locks = False

    def close(self) -> None:
        """Close the file; call this after SQLite has closed it."""
        self.unlock()
        with _guard:
            if self.inode is None:
                return
            found = _descriptors[self.inode]
            found.users -= 1
            if not found.users:
                os.close(found.descriptor)
                del _descriptors[self.inode]
            self.inode = None


def _read_inode(path: Path) -> Inode:
    found = path.stat()
    return found.st_dev, found.st_ino


def _is_lockable(descriptor: int) -> bool:
    if sys.platform != "linux":  # elsewhere `flock` conflicts with SQLite's own locks
        return False
    mount = find_mount(os.fstat(descriptor).st_dev)
    return mount is None or mount.kind not in SHARED


TABLE = Path("/proc/self/mountinfo")
ESCAPED = re.compile(r"\\([0-7]{3})")


@dataclass(frozen=True, slots=True)
class Mount:
    """A mounted file system.

    Attributes:
        kind: of the file system, such as ext4 or nfs4.
    """

    device: int
    point: str
    kind: str


def is_mounted(path: Path) -> bool:
    """Return whether this very file is a mount point, as with a container's single-file mounts."""
    return any(mount.point == str(path) for mount in _mounts())


def find_mount(device: int) -> Mount | None:
    """Return a mount of a device; None when it cannot be known."""
    return next((mount for mount in _mounts() if mount.device == device), None)


def _mounts() -> Iterator[Mount]:
    try:
        lines = TABLE.read_text(errors="surrogateescape").splitlines()
    except OSError:
        return
    for line in lines:
        before, _, behind = line.partition(" - ")
        fields = before.split(" ")
        if len(fields) < 5 or not behind:
            continue
        major, _, minor = fields[2].partition(":")
        point = ESCAPED.sub(lambda found: chr(int(found[1], 8)), fields[4])
        yield Mount(os.makedev(int(major), int(minor)), point, behind.split(" ")[0])


PASSING = {errno.ENOSPC, errno.EDQUOT, errno.EIO, errno.EROFS, errno.ENFILE, errno.EMFILE}
"""Errors that go away without a change of the configuration."""


def open_error(error: OSError, path: Path) -> StoreError:
    """Return the error for a file that cannot be opened: StoreFull when waiting helps."""
    reason = (error.strerror or "no reason given").lower()
    if error.errno in PASSING:
        return StoreFull(f"{path}: {reason}; nothing was done")
    return StoreError(f"{path}: the engine cannot open it: {reason}")


def check_location(path: Path) -> None:
    """Raise StoreError when another name of the file would have another write-ahead log."""
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


def create_private(path: Path) -> None:
    """Create the file for its owner alone, unless it exists; raise StoreError when it cannot be opened."""
    try:
        # An existing file is not opened: closing it would drop SQLite's locks on it.
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
    except FileExistsError:
        if path.exists() and not stat.S_ISREG(path.stat().st_mode):
            raise StoreError(f"{path}: the engine cannot open it: it is no file") from None
    except OSError as error:
        raise open_error(error, path) from None
