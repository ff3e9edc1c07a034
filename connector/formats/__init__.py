"""File formats: each reads a file into blocks of documents, or turns documents into the bytes of a file, or both."""

from __future__ import annotations

from collections.abc import Sequence

from connector.errors import ConfigurationError
from connector.formats.blocks import (
    BlockReader,
    Blocks,
    FormatWriter,
    IncompleteEnd,
    ResumePoint,
    UnreadableDocument,
    take_documents,
)

__all__ = [
    "SINGLE_DOCUMENT",
    "BlockReader",
    "Blocks",
    "FormatWriter",
    "IncompleteEnd",
    "ResumePoint",
    "UnreadableDocument",
    "find_reader",
    "format_to_read",
    "format_to_write",
    "make_writer",
    "take_documents",
]

READABLE = ("jsonl", "json", "csv", "parquet")
WRITABLE = (*READABLE, "binary", "text")
SINGLE_DOCUMENT = ("json", "binary", "text")
"""Formats of which a file holds one document when documents name their files."""
READABLE_SUFFIXES = {
    ".jsonl": "jsonl", ".ndjson": "jsonl", ".json": "json", ".csv": "csv", ".tsv": "csv", ".parquet": "parquet",
}  # fmt: skip
WRITABLE_SUFFIXES = {**READABLE_SUFFIXES, ".txt": "text", ".md": "text", ".srt": "text", ".vtt": "text"}


def format_to_read(name: str, suffix: str) -> str:
    """Return the format that a file's suffix names; raise ConfigurationError when it names none."""
    if suffix in READABLE_SUFFIXES:
        return READABLE_SUFFIXES[suffix]
    raise ConfigurationError(
        f"{name!r} does not end in {', '.join(READABLE_SUFFIXES)}; say which format it is: {', '.join(READABLE)}"
    )


def format_to_write(name: str, suffix: str) -> str:
    """Return the format that a file's suffix names; an unknown suffix is that of a binary file."""
    if suffix:
        return WRITABLE_SUFFIXES.get(suffix, "binary")
    raise ConfigurationError(f"{name!r} has no suffix; say which format it is: {', '.join(WRITABLE)}")


def find_reader(format_: str) -> BlockReader:
    """Return the reader of a readable format."""
    if format_ == "csv":
        from connector.formats.csv import read_csv

        return read_csv
    if format_ == "json":
        from connector.formats.json import read_json

        return read_json
    if format_ == "parquet":
        from connector.formats.parquet import read_parquet

        return read_parquet
    from connector.formats.jsonl import read_jsonl

    return read_jsonl


def make_writer(
    format_: str, *, columns: Sequence[str] = (), delimiter: str = ",", formulas: bool = False, alone: bool = False
) -> FormatWriter:
    """Return a writer for one new file.

    Args:
        format_: one of the writable formats.
        columns: the columns of CSV and Parquet; the first rows' unless given.
        delimiter: the text between two cells of CSV.
        formulas: whether cells of CSV that a spreadsheet would run are written as they are.
        alone: whether the file holds a single document.
    """
    if format_ == "parquet":
        from connector.formats.parquet import ParquetWriter

        return ParquetWriter(columns)
    if format_ == "csv":
        from connector.formats.csv import CsvWriter

        return CsvWriter(columns, delimiter, header=True, formulas=formulas)
    if format_ == "json":
        from connector.formats.json import JsonWriter

        return JsonWriter(alone=alone)
    if format_ == "jsonl":
        from connector.formats.jsonl import JsonlWriter

        return JsonlWriter()
    from connector.formats.text import BinaryWriter, TextWriter

    return BinaryWriter() if format_ == "binary" else TextWriter(alone=alone)
