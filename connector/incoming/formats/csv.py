"""Rows under a header; every value is text."""

from __future__ import annotations

import csv
import io
from collections.abc import Generator, Iterator
from itertools import islice
from typing import TYPE_CHECKING, BinaryIO

from connector.incoming.context import Lost
from connector.incoming.formats import Blocks
from connector.model import JSON

if TYPE_CHECKING:
    from _csv import Reader

__all__ = ["documents"]

ROWS = 100


def documents(file: BinaryIO, name: str, most: int) -> Blocks:
    """A document for each row; a row that does not fit the header is lost with its line's number."""
    csv.field_size_limit(max(most, csv.field_size_limit()))  # the module has one limit for the whole process
    text = io.TextIOWrapper(file, "utf-8-sig", errors="surrogateescape", newline="")
    try:
        rows = csv.reader(text, delimiter="\t" if ".tsv" in name else ",", strict=True)
        header: list[str] = next(rows, list[str]())
        if len(set(header)) < len(header) or not all(header):
            yield [Lost({"$text": ",".join(header)}, f"{name}: the header names a column twice or not at all")]
            return
        found = _rows(rows, header, name)
        while block := list(islice(found, ROWS)):
            yield block
    finally:
        text.detach()


def _rows(rows: Reader, header: list[str], name: str) -> Generator[JSON | Lost, None, None]:
    lines = iter(rows)
    while True:
        try:
            row = next(lines)
        except StopIteration:
            return
        except csv.Error as error:
            yield Lost({"$text": ""}, f"{name}, line {rows.line_num}: {error}")
            continue
        if row:
            yield from _document(row, header, f"{name}, line {rows.line_num}")


def _document(row: list[str], header: list[str], where: str) -> Iterator[JSON | Lost]:
    if len(row) != len(header):
        yield Lost({"$text": ",".join(row)}, f"{where}: {len(row)} values under {len(header)} columns")
    elif any("\0" in value or (not value.isascii() and _is_broken(value)) for value in row):
        shown = ",".join(row).encode(errors="surrogateescape").decode(errors="replace").replace("\0", "\ufffd")
        yield Lost({"$text": shown}, f"{where}: bytes that are not UTF-8 text")
    else:
        yield dict(zip(header, row, strict=True))


def _is_broken(value: str) -> bool:
    return any("\ud800" <= char <= "\udfff" for char in value)
