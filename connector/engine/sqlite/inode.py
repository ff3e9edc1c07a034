"""The database file itself, whatever it is called: locked by its inode, and found again where it was."""

from __future__ import annotations

import fcntl
import os
import sys
import threading
from dataclasses import dataclass
from pathlib import Path

from connector.engine.sqlite.mounts import mount_of

__all__ = ["DatabaseFile"]

Inode = tuple[int, int]
SHARED = ("nfs", "nfs4", "cifs", "smb3", "9p")
"""File systems where such a lock is not apart from those that SQLite takes."""


@dataclass(slots=True)
class _Opened:
    """A descriptor that all of this process share: closing one takes from SQLite every lock it has on the file."""

    descriptor: int
    users: int = 0
    locked: bool = False


_opened: dict[Inode, _Opened] = {}
_guard = threading.Lock()


class DatabaseFile:
    """The file that a name stands for when it is opened; it is held open until it is closed.

    Args:
        path: the name, without links.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._inode: Inode | None = None
        self._locks = False

    def open(self) -> None:
        """Hold the file open; OSError when that cannot be."""
        with _guard:
            inode = _inode_of(self._path)
            if inode not in _opened:
                _opened[inode] = _Opened(os.open(self._path, os.O_RDWR | os.O_CLOEXEC))
            _opened[inode].users += 1
            self._inode = inode

    def lock(self) -> bool:
        """Lock it unless somebody else has, by whatever name; return whether it is locked by this one now."""
        with _guard:
            found = _opened[self._inode] if self._inode is not None else None
            if found is None or self._locks or not _lockable(found.descriptor):
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
        """Let others lock it; it stays open."""
        with _guard:
            if self._locks and self._inode is not None:
                found = _opened[self._inode]
                fcntl.flock(found.descriptor, fcntl.LOCK_UN)
                found.locked = self._locks = False

    def close(self) -> None:
        """Let the file go; to be called when SQLite has closed it."""
        self.unlock()
        with _guard:
            if self._inode is None:
                return
            found = _opened[self._inode]
            found.users -= 1
            if not found.users:
                os.close(found.descriptor)
                del _opened[self._inode]
            self._inode = None

    @property
    def in_place(self) -> bool:
        """Whether the name still stands for this file."""
        try:
            return self._inode is None or _inode_of(self._path) == self._inode
        except OSError:
            return False


def _inode_of(path: Path) -> Inode:
    found = os.stat(path)  # noqa: PTH116  it is asked before every commit
    return found.st_dev, found.st_ino


def _lockable(descriptor: int) -> bool:
    if sys.platform != "linux":  # elsewhere such a lock meets those that SQLite takes
        return False
    mount = mount_of(os.fstat(descriptor).st_dev)
    return mount is None or mount.kind not in SHARED
