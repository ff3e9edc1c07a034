"""Rows under a header; every value is text."""

from __future__ import annotations

import csv
import io
from collections.abc import Generator, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, BinaryIO, cast

from connector.model import JSON
from connector.subscribers.context import Lost
from connector.subscribers.formats import NO_LINE_END, Blocks, Unfinished

if TYPE_CHECKING:
    from _csv import Reader

__all__ = ["documents"]

ROWS = 100
OPEN = "unexpected end of data"
"""What the module says of a file that ends within quotes."""


def documents(file: BinaryIO, name: str, most: int) -> Blocks:
    """A document for each row; a row that does not fit the header is lost with its line's number.

    A last row without a line end, or in an open quote, may be half written.
    """
    csv.field_size_limit(max(most, csv.field_size_limit()))  # the module has one limit for the whole process
    seen = _Seen(file)
    text = io.TextIOWrapper(cast("BinaryIO", seen), "utf-8-sig", errors="surrogateescape", newline="")
    try:
        rows = csv.reader(text, delimiter="\t" if ".tsv" in name else ",", strict=True)
        header = next(_rows(rows), _Row([], 0)).values
        if len(set(header)) < len(header) or not all(header):
            lost = Lost({"$text": ",".join(header)}, f"{name}: the header names a column twice or not at all")
            yield [Unfinished(f"{name}, line 1", NO_LINE_END, [lost]) if seen.is_cut else lost]
            return
        yield from _blocks(_rows(rows), header, name, seen)
    finally:
        text.detach()


class _Seen(io.RawIOBase):
    """A file of which it is known what it ended with."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._last = b""
        self._at_end = False

    def readable(self) -> bool:
        return True

    def read1(self, size: int = -1) -> bytes:
        read = getattr(self._file, "read1", self._file.read)
        data: bytes = read(size)
        self._at_end = self._at_end or not data
        self._last = data[-1:] or self._last
        return data

    read = read1

    @property
    def is_cut(self) -> bool:
        """Whether the file ended without a line end."""
        return self._at_end and self._last not in (b"\n", b"\r", b"")


@dataclass(frozen=True, slots=True)
class _Row:
    values: list[str]
    line: int
    fault: str = ""


def _rows(rows: Reader) -> Generator[_Row, None, None]:
    lines = iter(rows)
    while True:
        try:
            row = next(lines)
        except StopIteration:
            return
        except csv.Error as error:
            yield _Row([], rows.line_num, str(error))
            continue
        if row:
            yield _Row(row, rows.line_num)


def _blocks(rows: Iterator[_Row], header: list[str], name: str, seen: _Seen) -> Blocks:
    """Rows in blocks; the last one by itself when the file may go on with it."""
    last: _Row | None = None
    while block := list(islice(rows, ROWS)):
        yield [item for row in ([last] if last else []) + block[:-1] for item in _items(row, header, name)]
        last = block[-1]
    if last is None:
        return
    found = list(_items(last, header, name))
    if seen.is_cut or last.fault == OPEN:
        what = "a quote is open" if last.fault == OPEN else NO_LINE_END
        yield [Unfinished(f"{name}, line {last.line}", what, found)]
    else:
        yield list(found)


def _items(row: _Row, header: list[str], name: str) -> Iterator[JSON | Lost]:
    where = f"{name}, line {row.line}"
    if row.fault:
        yield Lost({"$text": ""}, f"{where}: {row.fault}")
    else:
        yield from _document(row.values, header, where)


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
