"""A disk that can be watched, that fails when it is told to, and that forgets at a power loss what was not synced.

`recording` is SQLite's way to the files while a test works: everything that is written passes `Disk`, which keeps a
log of it. `Disk.losses` then makes the files as they may be found when the power went at any place of it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any, Literal

import apsw

__all__ = ["Disk", "Event", "recording"]

SECTOR = 512
BELOW = "unix"
"""What really opens the files."""
Kind = Literal["write", "sync", "truncate", "delete", "told"]


@dataclass(frozen=True, slots=True)
class Event:
    """What happened to a file; or that somebody was told that something is on the disk."""

    kind: Kind
    file: str = ""
    offset: int = 0
    data: bytes = b""


@dataclass
class Disk:
    """What happened to the files, in its order.

    Attributes:
        fails: asked before anything is written or synced; raises what goes wrong.
    """

    log: list[Event] = field(default_factory=list[Event])
    fails: Callable[[Event], None] = lambda _: None

    def happened(self, event: Event) -> None:
        self.fails(event)
        self.log.append(event)

    def told(self, number: int) -> None:
        """Somebody was told that this is on the disk."""
        self.log.append(Event("told", offset=number))

    def found(self, before: Mapping[str, bytes], keeps: Callable[[], bool]) -> dict[str, bytes]:
        """The files after a power loss now, given what was in them before the log began."""
        files: dict[str, _File] = {}
        for name, data in before.items():
            files[name] = _File()
            for event in (Event("write", name, 0, data), Event("sync", name)):
                files[name].happened(event)
        for event in self.log:
            if event.kind == "delete":
                files.pop(event.file, None)
            else:
                files.setdefault(event.file, _File()).happened(event)
        return {name: file.found(keeps) for name, file in files.items()}

    def losses(self, chance: Random, every: int = 1) -> Iterator[tuple[set[int], dict[str, bytes]]]:
        """For power losses along the log: what was told before, and the files as they are found.

        What was not synced is lost at one place, there at the next, and there in part at the third.
        """
        told: set[int] = set()
        files: dict[str, _File] = {}
        for place, event in enumerate(self.log):
            if event.kind == "told":
                told.add(event.offset)
                continue
            if event.kind == "delete":
                files.pop(event.file, None)
            else:
                files.setdefault(event.file, _File()).happened(event)
            if place % every == 0:
                keeps = (lambda: False, lambda: True, lambda: chance.random() < 0.5)[place // every % 3]
                yield set(told), {name: file.found(keeps) for name, file in files.items()}


class _File:
    """A file as it is on the disk, and what is on its way there."""

    def __init__(self) -> None:
        self._synced = bytearray()
        self._pending: list[Event] = []

    def happened(self, event: Event) -> None:
        self._pending.append(event)
        if event.kind == "sync":
            for one in self._pending:
                _apply(self._synced, one)
            self._pending.clear()

    def found(self, keeps: Callable[[], bool]) -> bytes:
        data = bytearray(self._synced)
        for event in self._pending:
            for part in _sectors(event):
                if keeps():
                    _apply(data, part)
        return bytes(data)


def _sectors(event: Event) -> Iterator[Event]:
    if event.kind != "write":
        yield event
        return
    start = event.offset
    while start < event.offset + len(event.data):
        stop = min((start // SECTOR + 1) * SECTOR, event.offset + len(event.data))
        yield Event("write", event.file, start, event.data[start - event.offset : stop - event.offset])
        start = stop


def _apply(data: bytearray, event: Event) -> None:
    if event.kind == "write":
        data.extend(bytes(max(event.offset - len(data), 0)))
        data[event.offset : event.offset + len(event.data)] = event.data
    elif event.kind == "truncate":
        del data[event.offset :]


class _Watched(apsw.VFSFile):
    def __init__(self, disk: Disk, name: Any, flags: list[int]) -> None:
        self._disk = disk
        path = name.filename() if isinstance(name, apsw.URIFilename) else name
        self._name = Path(path).name if path else ""
        super().__init__(BELOW, name, flags)

    def xWrite(self, data: bytes, offset: int) -> None:  # noqa: N802  SQLite's names
        self._disk.happened(Event("write", self._name, offset, bytes(data)))
        super().xWrite(data, offset)

    def xSync(self, flags: int) -> None:  # noqa: N802
        self._disk.happened(Event("sync", self._name))
        super().xSync(flags)

    def xTruncate(self, size: int) -> None:  # noqa: N802
        self._disk.happened(Event("truncate", self._name, size))
        super().xTruncate(size)


class _Watching(apsw.VFS):
    def __init__(self, disk: Disk) -> None:
        self._disk = disk
        super().__init__("watched", BELOW, makedefault=True)

    def xOpen(self, name: Any, flags: list[int]) -> apsw.VFSFile:  # noqa: N802
        return _Watched(self._disk, name, flags)

    def xDelete(self, filename: str, syncdir: bool) -> None:  # noqa: N802
        self._disk.happened(Event("delete", Path(filename).name))
        super().xDelete(filename, syncdir)


@contextmanager
def recording() -> Iterator[Disk]:
    """The disk under every database that is opened meanwhile."""
    disk = Disk()
    watching = _Watching(disk)
    try:
        yield disk
    finally:
        watching.unregister()
