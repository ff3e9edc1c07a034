"""Files that appear whole or not at all: written beside their place, and moved there when they are complete."""

from __future__ import annotations

import errno
import os
import secrets
from contextlib import suppress
from pathlib import Path
from typing import Any, BinaryIO, Protocol, cast

from connector.aio.atomic_file import AtomicFile
from connector.file_access import is_local
from connector.model import Outcome, State
from connector.publishers.intent import BLOCKED
from connector.request.sources import open_filesystem

__all__ = ["LocalFile", "OpenFile", "is_permanent", "open_file", "unwritable"]

PERMANENT = {
    errno.ENOENT, errno.ENOTDIR, errno.EISDIR, errno.EACCES, errno.EPERM, errno.EEXIST, errno.ELOOP, errno.ENAMETOOLONG,
    errno.ENXIO, errno.ENODEV, errno.EINVAL,
}  # fmt: skip
"""Local errors that waiting does not repair: a wrong path, a folder without write permission."""


class OpenFile(Protocol):
    """A file that is being written."""

    @property
    def unfinished(self) -> str:
        """The path of its content while it is not complete."""
        ...

    def append(self, data: bytes) -> None:
        """Append data; when that fails, the file is as it was before."""
        ...

    def commit(self) -> None:
        """Sync the file and put it into its place."""
        ...

    def abandon(self) -> None:
        """Close the file without putting it into its place."""
        ...


def open_file(name: str, *, append: bool) -> OpenFile:
    """Open a file for writing, and make its folder when it is missing."""
    if not is_local(name):
        return RemoteFile(name)
    Path(name).parent.mkdir(parents=True, exist_ok=True)
    return AppendedFile(name) if append else LocalFile(name)


class _Local:
    """A local file that is cut back to its last good length when a write fails."""

    def __init__(self, path: str, file: BinaryIO) -> None:
        self.unfinished = path
        self.file = file
        self._length = os.fstat(file.fileno()).st_size
        self._broken = False

    def append(self, data: bytes) -> None:
        left = memoryview(data)
        try:
            while left:
                left = left[self.file.write(left) :]
        except OSError:
            self._broken = True
            os.ftruncate(self.file.fileno(), self._length)
            self.file.seek(self._length)
            self._broken = False
            raise
        self._length += len(data)

    def check(self) -> None:
        """Raise OSError when a torn document could not be taken back."""
        if self._broken:
            raise OSError(f"{self.unfinished} holds a torn document that could not be taken back")

    def abandon(self) -> None:
        self.file.close()


class LocalFile(_Local):
    """A local file, written to a temporary neighbour and then renamed."""

    def __init__(self, path: str) -> None:
        self._whole = AtomicFile(Path(path), buffering=0)
        super().__init__(str(self._whole.temporary), self._whole.file)

    def commit(self) -> None:
        self.check()
        self._whole.commit()


class AppendedFile(_Local):
    """A file that grows by whole documents; a torn end of an earlier run becomes a line of its own."""

    def __init__(self, path: str) -> None:
        # Not an AtomicFile, since what the file holds stays.
        # Do not wait for the other end, should the name be that of a pipe.
        flags = os.O_APPEND | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_NONBLOCK", 0)
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | flags, 0o666)
        os.set_blocking(descriptor, True)
        super().__init__(path, cast("BinaryIO", os.fdopen(descriptor, "wb", buffering=0)))
        if self._length:
            with open(path, "rb") as file:  # noqa: PTH123  a text already
                file.seek(-1, os.SEEK_END)
                if file.read(1) != b"\n":
                    self.append(b"\n")

    def commit(self) -> None:
        self.check()
        os.fsync(self.file.fileno())
        self.file.close()


class RemoteFile:
    """A remote file, written beside its place and then moved there."""

    def __init__(self, url: str) -> None:
        self._system, self._path = open_filesystem(url)
        folder, _, name = self._path.rpartition("/")
        self._neighbour = f"{folder}/.{name}.{secrets.token_hex(4)}.partial" if folder else f".{name}.partial"
        with suppress(NotImplementedError):
            self._system.makedirs(folder, exist_ok=True)
        self.file: Any = self._system.open(self._neighbour, "wb")
        self.unfinished = str(self._system.unstrip_protocol(self._neighbour))
        self._broken = False

    def append(self, data: bytes) -> None:
        try:
            self.file.write(data)
        except OSError:
            self._broken = True
            raise

    def commit(self) -> None:
        if self._broken:
            raise OSError(f"{self.unfinished} could not be written to")
        self.file.close()
        self._system.mv(self._neighbour, self._path)

    def abandon(self) -> None:
        self.file.close()


def is_permanent(error: OSError) -> bool:
    """Return whether a file stays out of reach until a person acts."""
    return error.errno in PERMANENT


def unwritable(name: str, error: OSError) -> Outcome:
    """Return the outcome of a document whose file cannot be written."""
    action = BLOCKED if is_permanent(error) else ""
    return Outcome(State.NOT_SENT, reason=f"cannot write {name!r}: {error.strerror or error}", action=action)
