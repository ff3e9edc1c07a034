"""CSV: a header, then a row for each document; lists and objects stand in their cell as JSON."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence

from connector.documents import dump
from connector.errors import InvalidDocument
from connector.model import JSON, is_object
from connector.request.shown import kind, listed

__all__ = ["Csv"]


class Csv:
    """Rows under columns that were named, or are those of the first document."""

    def __init__(self, columns: Sequence[str], delimiter: str, *, header: bool) -> None:
        self._columns = list(columns)
        self._delimiter = delimiter
        self._header = header

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
        csv.writer(text, delimiter=self._delimiter, lineterminator="\n").writerow(cells)
        try:
            return text.getvalue().encode()
        except UnicodeEncodeError:
            raise InvalidDocument("a text with a lone surrogate; only text that UTF-8 can hold is allowed") from None


def _cell(value: JSON) -> str:
    if value is None:
        return ""
    return value if isinstance(value, str) else dump(value).decode()
