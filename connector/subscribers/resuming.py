"""One file read from where an earlier reading stood, as far as the file is still the same up to there."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Generator, Mapping
from contextlib import AbstractContextManager
from typing import Any, BinaryIO

from connector.model import JSON, is_object
from connector.subscribers.context import Bookmark, Lost
from connector.subscribers.formats import Blocks, Reached, Unfinished

__all__ = ["Found", "resumed"]

Found = Generator[list["JSON | Lost | Bookmark"], None, None]


def resumed(
    opened: Callable[[], AbstractContextManager[BinaryIO]],
    read: Callable[..., Blocks],
    stamp: str,
    known: Bookmark,
) -> Found:
    """What the file holds beyond a bookmark, and a bookmark after each block.

    A file that was read whole and has kept its stamp is not opened. One that has changed goes on where it ended, when
    its format can tell where that is and what lies before is still the same; else it is read again from its start.
    """
    place: Mapping[str, JSON] = known.place if is_object(known.place) else {}
    same = bool(stamp) and place.get("stamp") == stamp
    if same and place.get("whole"):
        return
    with opened() as file:
        since = _since(file, place)
        if since is not None:
            marks = _Marks(known.part, stamp, known.count)
            yield from marks.over(read(file, since))
        else:
            marks = _Marks(known.part, stamp, 0, skipped=known.count if same else 0)
            yield from marks.over(read(file))


class _Marks:
    """Puts bookmarks between the blocks of a file."""

    def __init__(self, part: str, stamp: str, count: int, *, skipped: int = 0) -> None:
        self._part = part
        self._stamp = stamp
        self._count = count
        self._skipped = skipped
        self._covered = count
        self._reached: dict[str, JSON] = {}
        self._waits = False
        """Whether the end of the file is not complete yet."""

    def over(self, blocks: Blocks) -> Found:
        yield [Bookmark(self._part, None, max(self._count, self._skipped), lasting=True)]
        for block in blocks:
            found = self._taken(block)
            if self._covered > self._skipped:
                found.append(self._mark())
            yield found
        yield [self._mark(whole=not self._waits)]

    def _taken(self, block: list[Any]) -> list[JSON | Lost | Bookmark]:
        """What of a block has not been skipped."""
        found: list[JSON | Lost | Bookmark] = []
        for item in block:
            if isinstance(item, Unfinished):
                self._waits = True
                continue
            if isinstance(item, Reached):
                self._reached = _place(item)
                self._covered = self._count
                continue
            self._count += 1
            if self._count > self._skipped:
                found.append(item)
        if not self._reached:
            self._covered = self._count
        return found

    def _mark(self, **more: JSON) -> Bookmark:
        return Bookmark(self._part, {"stamp": self._stamp, **self._reached, **more}, self._covered, lasting=True)


def _place(reached: Reached) -> dict[str, JSON]:
    tail = reached.tail
    return {"line": reached.line, "offset": reached.offset, "tail": len(tail), "print": _print(tail)}


def _since(file: BinaryIO, place: Mapping[str, JSON]) -> Reached | None:
    """Where a file goes on, if what lies before is what lay there when it was read."""
    if "offset" not in place or not file.seekable():
        return None
    file.seek(place["offset"] - place["tail"])
    tail = file.read(place["tail"])
    if len(tail) != place["tail"] or _print(tail) != place["print"]:
        file.seek(0)
        return None
    return Reached(place["line"], place["offset"], tail)


def _print(data: bytes) -> str:
    return hashlib.blake2b(data, digest_size=12).hexdigest()
