"""CSV: a header, then a row for each document; lists and objects stand in their cell as JSON."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Sequence

from connector.documents import dump
from connector.errors import InvalidDocument
from connector.model import JSON, is_object
from connector.request.display import kind, listed

__all__ = ["Csv"]


FORMULA = re.compile(r"[=+\-@\t\r]")
HARMLESS = re.compile(r"[+-][\d ().,/-]*(?:[eE][+-]?\d+)?%?")
"""Numbers, amounts and telephone numbers, which no spreadsheet runs."""


class Csv:
    """Rows under columns that were named, or are those of the first document.

    Args:
        columns: their names.
        delimiter: what stands between two cells.
        header: whether the names come first.
        formulas: whether a text that a spreadsheet would run as a formula stays as it is; else a quote goes before it.
    """

    def __init__(self, columns: Sequence[str], delimiter: str, *, header: bool, formulas: bool = False) -> None:
        self._columns = list(columns)
        self._delimiter = delimiter
        self._header = header
        self._formulas = formulas

    def add(self, document: JSON) -> bytes:
        if not is_object(document):
            raise InvalidDocument(f"found {kind(document)}; a row is an object")
        columns = self._columns or list(document)
        unknown = [name for name in document if name not in columns]
        if unknown:
            raise InvalidDocument(
                f"no column is named {listed(unknown)}; the file has {listed(columns)}: name all columns"
            )
        row = self._line([_cell(document.get(name)) for name in columns])
        opening = self._line(columns) if self._header else b""
        self._header, self._columns = False, columns
        return opening + row

    def end(self) -> bytes:
        return self._line(self._columns) if self._header and self._columns else b""

    def _line(self, cells: list[str]) -> bytes:
        text = io.StringIO()
        shown = cells if self._formulas else map(_inert, cells)
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


def _inert(cell: str) -> str:
    """A cell that no spreadsheet takes for a formula."""
    return f"'{cell}" if FORMULA.match(cell) and not HARMLESS.fullmatch(cell) else cell
