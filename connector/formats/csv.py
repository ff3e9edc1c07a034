"""CSV: rows under a header. Every value is read as text; lists and objects are written into their cell as JSON."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, BinaryIO, cast

from connector.documents import dump
from connector.errors import InvalidDocument
from connector.formats.blocks import NO_LINE_END, Blocks, IncompleteEnd, UnreadableDocument
from connector.model import JSON, is_object
from connector.request.display import describe_value, join_names

if TYPE_CHECKING:
    from _csv import Reader

__all__ = ["CsvWriter", "read_csv"]

ROWS = 100
OPEN = "unexpected end of data"
"""How the csv module reports a file that ends within quotes."""
FORMULA = re.compile(r"[=+\-@\t\r]")
HARMLESS = re.compile(r"[+-][\d ().,/-]*(?:[eE][+-]?\d+)?%?")
"""Numbers, amounts and telephone numbers, which no spreadsheet runs."""


def read_csv(file: BinaryIO, name: str, most: int) -> Blocks:
    """Yield a document for each row, and an unreadable document for a row that does not fit the header.

    A last row without a line end, or in an open quote, may be half written.
    """
    csv.field_size_limit(max(most, csv.field_size_limit()))  # the module has one limit for the whole process
    source = _TailedFile(file)
    text = io.TextIOWrapper(cast("BinaryIO", source), "utf-8-sig", errors="surrogateescape", newline="")
    try:
        rows = csv.reader(text, delimiter="\t" if ".tsv" in name else ",", strict=True)
        header = next(_rows(rows), _Row([], 0)).values
        if len(set(header)) < len(header) or not all(header):
            lost = UnreadableDocument(
                {"$text": ",".join(header)}, f"{name}: the header names a column twice or not at all"
            )
            yield [IncompleteEnd(f"{name}, line 1", NO_LINE_END, [lost]) if source.is_cut else lost]
            return
        yield from _blocks(_rows(rows), header, name, source)
    finally:
        text.detach()


class _TailedFile(io.RawIOBase):
    """A file that remembers the last byte that was read."""

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


def _blocks(rows: Iterator[_Row], header: list[str], name: str, source: _TailedFile) -> Blocks:
    """Yield rows in blocks; the last row is a block of its own when it may be half written."""
    last: _Row | None = None
    while block := list(islice(rows, ROWS)):
        yield [item for row in ([last] if last else []) + block[:-1] for item in _items(row, header, name)]
        last = block[-1]
    if last is None:
        return
    found = list(_items(last, header, name))
    if source.is_cut or last.fault == OPEN:
        what = "a quote is open" if last.fault == OPEN else NO_LINE_END
        yield [IncompleteEnd(f"{name}, line {last.line}", what, found)]
    else:
        yield list(found)


def _items(row: _Row, header: list[str], name: str) -> Iterator[JSON | UnreadableDocument]:
    where = f"{name}, line {row.line}"
    if row.fault:
        yield UnreadableDocument({"$text": ""}, f"{where}: {row.fault}")
    else:
        yield from _document(row.values, header, where)


def _document(row: list[str], header: list[str], where: str) -> Iterator[JSON | UnreadableDocument]:
    if len(row) != len(header):
        yield UnreadableDocument({"$text": ",".join(row)}, f"{where}: {len(row)} values under {len(header)} columns")
    elif any("\0" in value or (not value.isascii() and _has_surrogate(value)) for value in row):
        shown = ",".join(row).encode(errors="surrogateescape").decode(errors="replace").replace("\0", "\ufffd")
        yield UnreadableDocument({"$text": shown}, f"{where}: bytes that are not UTF-8 text")
    else:
        yield dict(zip(header, row, strict=True))


def _has_surrogate(value: str) -> bool:
    return any("\ud800" <= char <= "\udfff" for char in value)


class CsvWriter:
    """Writes rows under the named columns, or those of the first document.

    Args:
        columns: their names; the first document's unless given.
        delimiter: the text between two cells.
        header: whether the names come first.
        formulas: whether a text that a spreadsheet would run as a formula is written without a quote before it.
    """

    def __init__(self, columns: Sequence[str], delimiter: str, *, header: bool, formulas: bool = False) -> None:
        self._columns = list(columns)
        self._delimiter = delimiter
        self._header = header
        self._formulas = formulas

    def add(self, document: JSON) -> bytes:
        if not is_object(document):
            raise InvalidDocument(f"found {describe_value(document)}; a row is an object")
        columns = self._columns or list(document)
        unknown = [name for name in document if name not in columns]
        if unknown:
            raise InvalidDocument(
                f"no column is named {join_names(unknown)}; the file has {join_names(columns)}: name all columns"
            )
        row = self._line([_cell(document.get(name)) for name in columns])
        opening = self._line(columns) if self._header else b""
        self._header, self._columns = False, columns
        return opening + row

    def end(self) -> bytes:
        return self._line(self._columns) if self._header and self._columns else b""

    def _line(self, cells: list[str]) -> bytes:
        text = io.StringIO()
        shown = cells if self._formulas else map(_quote_formula, cells)
        # A cell is quoted when it holds a character of the line end: a lone CR ends a row for many readers.
        csv.writer(text, delimiter=self._delimiter, lineterminator="\r\n").writerow(shown)
        try:
            return (text.getvalue().removesuffix("\r\n") + "\n").encode()
        except UnicodeEncodeError:
            raise InvalidDocument("a text with a lone surrogate; only text that UTF-8 can hold is allowed") from None


def _cell(value: JSON) -> str:
    if value is None:
        return ""
    return value if isinstance(value, str) else dump(value).decode()


def _quote_formula(cell: str) -> str:
    """Return the cell as a text that no spreadsheet takes for a formula."""
    return f"'{cell}" if FORMULA.match(cell) and not HARMLESS.fullmatch(cell) else cell
