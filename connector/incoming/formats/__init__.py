"""What files are made of: each format gives blocks of documents, and of what it could not read."""

from __future__ import annotations

from collections.abc import Callable, Generator
from typing import BinaryIO

from connector.errors import ConfigurationError
from connector.incoming.context import Lost
from connector.model import JSON

__all__ = ["FORMATS", "Blocks", "Format", "format_of"]

Blocks = Generator[list["JSON | Lost"], None, None]
Format = Callable[[BinaryIO, str, int], Blocks]
"""Takes the open file, its name, and how large a document may be in bytes."""
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
