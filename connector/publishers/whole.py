"""Files that appear whole or not at all: written beside their place, moved there when they are complete."""

from __future__ import annotations

import os
import secrets
import shutil
from contextlib import suppress
from pathlib import Path
from typing import Any, BinaryIO, Protocol, cast

from connector.file_access import is_local
from connector.request.sources import filesystem

__all__ = ["Appended", "LocalWhole", "RemoteWhole", "Target", "target_of"]


class Target(Protocol):
    """A file under way."""

    @property
    def unfinished(self) -> str:
        """Where its content is while it is not complete; nothing when there is no such place."""
        ...

    def append(self, data: bytes) -> None:
        """Adds data; when that fails, the file is as it was before."""
        ...

    def commit(self) -> None:
        """Makes the file visible, for good."""
        ...

    def abandon(self) -> None:
        """Closes the file without making it visible."""
        ...


def target_of(name: str, *, append: bool) -> Target:
    """The file of a name, below a folder that is made when it is missing."""
    if not is_local(name):
        return RemoteWhole(name)
    Path(name).parent.mkdir(parents=True, exist_ok=True)
    return Appended(name) if append else LocalWhole(name)


class _Local:
    """A file of this machine whose last good length is known."""

    def __init__(self, path: str, flags: int) -> None:
        self.unfinished = path
        # Not waiting for the other end of a pipe that bears the name.
        flags |= getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_NONBLOCK", 0)
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | flags, 0o666)
        os.set_blocking(descriptor, True)
        self.file: BinaryIO = cast("BinaryIO", os.fdopen(descriptor, "wb", buffering=0))
        self._length = os.fstat(descriptor).st_size
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

    def settle(self) -> None:
        """Everything that was written is on disk."""
        if self._broken:
            raise OSError(f"{self.unfinished} holds a torn document that could not be taken back")
        os.fsync(self.file.fileno())
        self.file.close()

    def abandon(self) -> None:
        self.file.close()


class LocalWhole(_Local):
    """Written to a temporary neighbour, then renamed."""

    def __init__(self, path: str) -> None:
        self._path = Path(path)
        neighbour = self._path.with_name(f".{self._path.name}.{secrets.token_hex(4)}.partial")
        super().__init__(str(neighbour), os.O_EXCL)
        with suppress(OSError):
            shutil.copymode(path, neighbour)

    def commit(self) -> None:
        self.settle()
        os.replace(self.unfinished, self._path)  # noqa: PTH105  one name is a text already
        with suppress(OSError):
            folder = os.open(self._path.parent, os.O_RDONLY)
            try:
                os.fsync(folder)
            finally:
                os.close(folder)


class Appended(_Local):
    """A file that grows by whole documents; a torn end of an earlier run becomes a line of its own."""

    def __init__(self, path: str) -> None:
        super().__init__(path, os.O_APPEND)
        if self._length:
            with open(path, "rb") as file:  # noqa: PTH123  a text already
                file.seek(-1, os.SEEK_END)
                if file.read(1) != b"\n":
                    self.append(b"\n")

    def commit(self) -> None:
        self.settle()


class RemoteWhole:
    """A file elsewhere: written beside its place, then moved there."""

    def __init__(self, url: str) -> None:
        self._system, self._path = filesystem(url)
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
