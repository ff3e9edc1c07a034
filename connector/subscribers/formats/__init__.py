"""What files are made of: each format gives blocks of documents, and of what it could not read."""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass

from connector.errors import ConfigurationError
from connector.model import JSON
from connector.subscribers.context import Lost

__all__ = ["FORMATS", "NO_LINE_END", "Blocks", "Format", "Reached", "Unfinished", "format_of"]

NO_LINE_END = "the last line has no line end"


@dataclass(frozen=True, slots=True)
class Reached:
    """Where a file goes on that need not be read from its start; everything before has been given.

    Attributes:
        line: how many lines lie before.
        offset: how many bytes lie before.
        tail: the last of these bytes.
    """

    line: int
    offset: int
    tail: bytes


@dataclass(frozen=True, slots=True)
class Unfinished:
    """The end of a file that may be half written.

    Attributes:
        where: the file and the place in it.
        what: what is missing there.
        items: what it is if nothing more comes.
    """

    where: str
    what: str
    items: Sequence[JSON | Lost | Reached] = ()


Blocks = Generator[list["JSON | Lost | Reached | Unfinished"], None, None]
Format = Callable[..., Blocks]
"""Takes the open file, its name, how large a document may be in bytes, and where to go on if it ever told so."""
FORMATS = ("jsonl", "json", "csv", "parquet")
BY_SUFFIX = {
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".json": "json",
    ".csv": "csv",
    ".tsv": "csv",
    ".parquet": "parquet",
}


def format_of(name: str, suffix: str) -> str:
    """The format that a file's name tells."""
    if suffix in BY_SUFFIX:
        return BY_SUFFIX[suffix]
    raise ConfigurationError(
        f"{name!r} does not end in {', '.join(BY_SUFFIX)}; say which format it is: {', '.join(FORMATS)}"
    )
