"""Files that appear whole or not at all, whenever the process or the machine stops."""

from __future__ import annotations

import os
import shutil
from collections.abc import Generator
from contextlib import contextmanager, suppress
from pathlib import Path
from secrets import token_hex
from typing import BinaryIO

__all__ = ["AtomicFile", "open_atomic", "replace_durably", "sync_path", "write_atomically"]


class AtomicFile:
    """A file that is written beside its place, synced, and renamed.

    It gets the permissions of the file in whose place it comes. A symbolic link is replaced, not followed.

    Args:
        path: its place.
        mode: the permissions of a file in whose place there was none; the umask applies.
        buffering: as of `open`.
    """

    def __init__(self, path: Path, *, mode: int = 0o666, buffering: int = -1) -> None:
        self.path = path
        self.temporary = path.with_name(f".{path.name}.{token_hex(4)}.partial")
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0)
        descriptor = os.open(self.temporary, flags, mode)
        self.file: BinaryIO = os.fdopen(descriptor, "wb", buffering=buffering)
        with suppress(OSError):
            shutil.copymode(path, self.temporary)

    def commit(self) -> None:
        """Put the file into its place; it is on disk when this returns."""
        self.file.flush()
        os.fsync(self.file.fileno())
        self.file.close()
        self.temporary.replace(self.path)
        with suppress(OSError):  # not every file system can sync a folder
            sync_path(self.path.parent)

    def discard(self) -> None:
        """Close and remove the temporary file; what is in the file's place stays."""
        with suppress(OSError):
            self.file.close()
        with suppress(OSError):
            self.temporary.unlink()


@contextmanager
def open_atomic(path: Path, *, mode: int = 0o666) -> Generator[BinaryIO]:
    """Open a file that is put into its place at the end of the block, and discarded when the block raises."""
    file = AtomicFile(path, mode=mode)
    try:
        yield file.file
        file.commit()
    except BaseException:
        file.discard()
        raise


def write_atomically(path: Path, data: bytes, *, mode: int = 0o666) -> None:
    """Write a whole file."""
    with open_atomic(path, mode=mode) as file:
        file.write(data)


def replace_durably(temporary: Path, path: Path) -> None:
    """Put a file that something else has written into its place, and sync both it and its folder."""
    sync_path(temporary)
    temporary.replace(path)
    sync_path(path.parent)


def sync_path(path: Path) -> None:
    """Sync a file, or a folder: a new file is there after a power loss only when its folder is on disk as well."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
