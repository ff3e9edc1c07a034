"""What formats read and write: blocks of documents in, bytes out."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from connector.model import JSON, JSONValue

__all__ = [
    "NO_LINE_END",
    "BlockReader",
    "Blocks",
    "FormatWriter",
    "IncompleteEnd",
    "ResumePoint",
    "UnreadableDocument",
    "take_documents",
]

NO_LINE_END = "the last line has no line end"


@dataclass(frozen=True, slots=True)
class UnreadableDocument:
    """A document that could not be read, and why."""

    document: JSONValue
    """What is known of it; the text of a line that is no document is under `$text`."""
    reason: str


@dataclass(frozen=True, slots=True)
class ResumePoint:
    """A place in a file from which it can be read on; everything before it has been given.

    Attributes:
        line: how many lines lie before.
        offset: how many bytes lie before.
        tail: the last of these bytes.
    """

    line: int
    offset: int
    tail: bytes


@dataclass(frozen=True, slots=True)
class IncompleteEnd:
    """The end of a file that may be half written.

    Attributes:
        where: the file and the place in it.
        what: what is missing there.
        items: what the end holds if nothing more comes.
    """

    where: str
    what: str
    items: Sequence[JSON | UnreadableDocument | ResumePoint] = ()


Blocks = Generator[list["JSON | UnreadableDocument | ResumePoint | IncompleteEnd"], None, None]
BlockReader = Callable[..., Blocks]
"""Takes the open file, its name, the most bytes that a document may have, and perhaps the point to resume from."""


def take_documents(blocks: Blocks) -> Iterator[list[JSON | UnreadableDocument]]:
    """Yield the blocks of a source that is read once: no resume points, and an incomplete end for what it holds."""
    for block in blocks:
        documents: list[JSON | UnreadableDocument] = []
        for item in block:
            if isinstance(item, IncompleteEnd):
                documents += [one for one in item.items if not isinstance(one, ResumePoint)]
            elif not isinstance(item, ResumePoint):
                documents.append(item)
        yield documents


class FormatWriter(Protocol):
    """The content of one file while it grows."""

    def add(self, document: JSON) -> bytes:
        """Return the bytes that a document adds; raise InvalidDocument when this file cannot hold it."""
        ...

    def end(self) -> bytes:
        """Return the bytes that end the file."""
        ...
