"""Bookmarks within the pages of one request and within one file, from which an interrupted reading goes on."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Generator, Mapping
from contextlib import AbstractContextManager
from typing import BinaryIO

from connector.documents import dump
from connector.formats import Blocks, IncompleteEnd, ResumePoint, UnreadableDocument
from connector.model import JSON, is_object, members
from connector.subscribers.prototype import Bookmark, Context

__all__ = ["FileItems", "PageBookmarks", "diff_requests", "read_file_on"]

FileItems = Generator[list["JSON | UnreadableDocument | Bookmark"], None, None]


class PageBookmarks:
    """How many pages of a request have been read.

    Args:
        context: where earlier bookmarks come from and new ones go.
        request: the request of the first page.
    """

    def __init__(self, context: Context, request: JSON) -> None:
        self._context = context
        self._part = f"pages of {_digest(dump(request))}"
        known = context.find_bookmark(self._part)
        place = members(known.place)
        self.is_complete: bool = place.get("whole") is True
        """Whether all pages have been read."""
        self.count = known.count
        """How many documents lie before the next page."""
        self._request = request
        self._change = members(place.get("next"))
        context.on_bookmark(Bookmark(self._part, None, self.count))

    def next_request(self) -> Mapping[str, JSON]:
        """Return the request of the page to read next."""
        return _apply_change(members(self._request), self._change)

    def add_page(self, items: int, change: Mapping[str, JSON] | None) -> None:
        """Record a page.

        Args:
            items: how many documents it has.
            change: what makes the next page's request of the first one; None after the last page.
        """
        self.count += items
        place: JSON = {"whole": True} if change is None else {"next": dict(change)}
        self._context.on_bookmark(Bookmark(self._part, place, self.count))


def diff_requests(first: Mapping[str, JSON], later: Mapping[str, JSON]) -> dict[str, JSON]:
    """Return what makes a later page's request of the first one, without what both have."""
    change: dict[str, JSON] = {name: None for name in first if name not in later}
    for name, value in later.items():
        before = first.get(name)
        if is_object(value) and is_object(before):
            inner = {key: item for key, item in value.items() if key not in before or before[key] != item}
            change |= {name: inner} if inner else {}
        elif value != before:
            change[name] = value
    return change


def _apply_change(first: Mapping[str, JSON], change: Mapping[str, JSON]) -> dict[str, JSON]:
    """Return the later page's request again."""
    request: dict[str, JSON] = {name: value for name, value in first.items() if change.get(name, value) is not None}
    for name, value in change.items():
        before = first.get(name)
        if is_object(value):
            request[name] = {**(before if is_object(before) else {}), **value}
        elif value is not None:
            request[name] = value
    return request


def read_file_on(
    open_file: Callable[[], AbstractContextManager[BinaryIO]],
    read: Callable[..., Blocks],
    stamp: str,
    known: Bookmark,
) -> FileItems:
    """Yield what a file holds beyond a bookmark, with a new bookmark after each block.

    A completely read file that has kept its stamp is not opened. A changed file is read on where the reading ended,
    if its format has resume points and its content before is the same; otherwise it is read again from its start.

    Args:
        open_file: opens the file.
        read: reads its blocks, perhaps from a resume point.
        stamp: what changes with the file's content; empty when nothing does reliably.
        known: how far an earlier reading came.
    """
    place = members(known.place)
    is_unchanged = bool(stamp) and place.get("stamp") == stamp
    if is_unchanged and place.get("whole"):
        return
    with open_file() as file:
        point = _find_resume_point(file, place)
        if point is not None:
            yield from _FileBookmarks(known.part, stamp, known.count).add_to(read(file, point))
        else:
            skipped = known.count if is_unchanged else 0
            yield from _FileBookmarks(known.part, stamp, 0, skipped=skipped).add_to(read(file))


class _FileBookmarks:
    """Adds bookmarks between the blocks of a file, and skips documents that an earlier reading gave."""

    def __init__(self, part: str, stamp: str, count: int, *, skipped: int = 0) -> None:
        self._part = part
        self._stamp = stamp
        self._count = count
        self._skipped = skipped
        self._covered = count
        self._resume_place: dict[str, JSON] = {}
        self._is_incomplete = False
        """Whether the end of the file may be half written."""

    def add_to(self, blocks: Blocks) -> FileItems:
        yield [Bookmark(self._part, None, max(self._count, self._skipped), lasting=True)]
        for block in blocks:
            items = self._new_items(block)
            if self._covered > self._skipped:
                items.append(self._bookmark())
            yield items
        yield [self._bookmark(whole=not self._is_incomplete)]

    def _new_items(
        self, block: list[JSON | UnreadableDocument | ResumePoint | IncompleteEnd]
    ) -> list[JSON | UnreadableDocument | Bookmark]:
        """Return the documents of a block that are not skipped."""
        new: list[JSON | UnreadableDocument | Bookmark] = []
        for item in block:
            if isinstance(item, IncompleteEnd):
                self._is_incomplete = True
                continue
            if isinstance(item, ResumePoint):
                self._resume_place = _place_of(item)
                self._covered = self._count
                continue
            self._count += 1
            if self._count > self._skipped:
                new.append(item)
        if not self._resume_place:
            self._covered = self._count
        return new

    def _bookmark(self, **more: JSON) -> Bookmark:
        place: JSON = {"stamp": self._stamp, **self._resume_place, **more}
        return Bookmark(self._part, place, self._covered, lasting=True)


def _place_of(point: ResumePoint) -> dict[str, JSON]:
    return {"line": point.line, "offset": point.offset, "tail": len(point.tail), "print": _digest(point.tail)}


def _find_resume_point(file: BinaryIO, place: Mapping[str, JSON]) -> ResumePoint | None:
    """Return where to read a file on, if what lies before is what lay there when it was read."""
    if "offset" not in place or not file.seekable():
        return None
    file.seek(place["offset"] - place["tail"])
    tail = file.read(place["tail"])
    if len(tail) != place["tail"] or _digest(tail) != place["print"]:
        file.seek(0)
        return None
    return ResumePoint(place["line"], place["offset"], tail)


def _digest(data: bytes) -> str:
    return hashlib.blake2b(data, digest_size=12).hexdigest()
