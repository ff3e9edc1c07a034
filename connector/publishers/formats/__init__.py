"""What files are made of: each format turns documents into the bytes that follow those already written."""

from __future__ import annotations

from typing import Protocol

from connector.errors import ConfigurationError
from connector.model import JSON

__all__ = ["FORMATS", "SINGLE", "Format", "format_of"]

FORMATS = ("jsonl", "json", "csv", "parquet", "binary", "text")
SINGLE = ("json", "binary", "text")
"""Formats of which a file holds one document when documents name their files."""
BY_SUFFIX = {
    ".jsonl": "jsonl", ".ndjson": "jsonl", ".json": "json", ".csv": "csv", ".tsv": "csv", ".parquet": "parquet",
    ".txt": "text", ".md": "text", ".srt": "text", ".vtt": "text",
}  # fmt: skip


class Format(Protocol):
    """One file's content while it grows."""

    def add(self, document: JSON) -> bytes:
        """What a document adds; InvalidDocument when it cannot stand in this file."""
        ...

    def end(self) -> bytes:
        """What ends the file."""
        ...


def format_of(name: str, suffix: str) -> str:
    """The format that a file's name tells; a suffix that nobody knows is of binary files."""
    if suffix:
        return BY_SUFFIX.get(suffix, "binary")
    raise ConfigurationError(f"{name!r} has no suffix; say which format it is: {', '.join(FORMATS)}")
