"""Lines of files, after they were committed: appended, synced, and then noted as written, so that each stands once.

A crash may leave lines in a file that are not noted yet. They are known again by what was to be written there, and are
cut before they are written anew; what somebody else has added stays.
"""

from __future__ import annotations

import asyncio
import os
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from connector.engine import Change, PendingLines, Store, failpoints
from connector.errors import ConfigurationError
from connector.model import JSON, members
from connector.publishers.atomic_file import is_permanent
from connector.routes.delivering.filing import HEADS

__all__ = ["Lines", "Unwritable", "append"]

BEGUN = "file beginnings"
"""The space of records that tell what is written before a place's first line."""
AT_ONCE = 1000


class Unwritable(ConfigurationError):
    """Files that cannot be written to before somebody has mended something."""


@dataclass(frozen=True, slots=True)
class Written:
    """What is on disk now: the number of the last line, and the file's length."""

    last: int
    length: int


class Lines:
    """Writes what files are to end with; one for all workers at a time."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def write(self) -> int:
        """Writes all that there is to write; returns how many lines that were.

        A file that cannot be written to keeps no other from being written; ConfigurationError tells of it at the end,
        Unwritable when waiting does not help.
        """
        count, faults, passing = 0, list[str](), False
        for name in await self._store.pending_files():
            try:
                count += await self._write(name)
            except OSError as error:
                passing = passing or not is_permanent(error)
                faults.append(f"cannot append to {name!r}: {error.strerror or error}; its lines are kept until it can")
        if faults:
            raise (ConfigurationError if passing else Unwritable)("; ".join(faults))
        return count

    async def _write(self, name: str) -> int:
        count = 0
        while (place := await self._store.pending_lines(name, AT_ONCE)).lines:
            place, head = await self._begun(place)
            failpoints.reach("delivery.lines.before")
            written = await asyncio.to_thread(append, place, head)
            failpoints.reach("delivery.lines.written")
            await self._store.commit(Change(written={name: (written.last, written.length)}))
            count += len(place.lines)
        return count

    async def _begun(self, place: PendingLines) -> tuple[PendingLines, bytes]:
        """The place with the length at which our lines begin, which is noted before the first is written."""
        begun = members(await self._store.record(BEGUN, place.name))
        length, torn = await asyncio.to_thread(_length, place.name)
        if not begun or length < place.length:  # a new file, or one that somebody has cut or replaced
            head: JSON = None if length else await self._store.record(HEADS, place.name)
            begun = {"at": length, "head": "\n" if torn else head or ""}
            note = Change(records={(BEGUN, place.name): begun}, written={place.name: (0, length)})
            await self._store.commit(note)
            place = PendingLines(place.name, length, place.lines)
        return place, str(begun["head"]).encode() if place.length == begun["at"] else b""


def append(place: PendingLines, head: bytes) -> Written:
    """Appends a place's lines, unless they stand there already; all of them are on disk when it returns."""
    path = Path(place.name)
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | getattr(os, "O_CLOEXEC", 0), 0o666)
    with os.fdopen(descriptor, "r+b", buffering=0) as file:
        due = head + b"".join(line.data for _, line in place.lines)
        start = _start(file, place.length, due)
        if start is not None:
            _put(file, start, due)
        os.fsync(file.fileno())
        length = os.fstat(file.fileno()).st_size
    _sync_folder(path.parent)
    return Written(place.lines[-1][0], length)


def _start(file: BinaryIO, length: int, due: bytes) -> int | None:
    """Where to write: after all that is not ours; nowhere when it stands there already."""
    size = os.fstat(file.fileno()).st_size
    file.seek(min(length, size))
    tail = _read(file, len(due))
    if tail == due:
        return None
    # What a power loss leaves of bytes that were not synced is nothing, or zeros.
    if length + len(tail) == size and all(found in (byte, 0) for found, byte in zip(tail, due, strict=False)):
        file.truncate(length)
        return length
    return size


def _put(file: BinaryIO, start: int, due: bytes) -> None:
    """Writes all of it; when that fails, the file is as it was before."""
    file.seek(start)
    left = memoryview(due)
    try:
        while left:
            left = left[file.write(left) :]
    except OSError:
        file.truncate(start)
        raise


def _read(file: BinaryIO, size: int) -> bytes:
    found = bytearray()
    while len(found) < size and (chunk := file.read(size - len(found))):
        found += chunk
    return bytes(found)


def _length(name: str) -> tuple[int, bool]:
    """A file's length, and whether it ends in the middle of a line."""
    try:
        with Path(name).open("rb") as file:
            length = file.seek(0, os.SEEK_END)
            if not length:
                return 0, False
            file.seek(length - 1)
            return length, file.read(1) != b"\n"
    except FileNotFoundError:
        return 0, False


def _sync_folder(folder: Path) -> None:
    """A file that is new is there after a power loss only when its folder is on disk as well."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
