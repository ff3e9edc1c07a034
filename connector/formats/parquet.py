"""Parquet, through pyarrow when it is installed; of a written file, the first rows decide the columns' types."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from typing import Any, BinaryIO

from connector.documents import to_json
from connector.errors import InvalidDocument
from connector.extras import require_extra
from connector.formats.blocks import Blocks, UnreadableDocument
from connector.model import JSON, is_object
from connector.request.display import describe_value, join_names

__all__ = ["ParquetWriter", "read_parquet"]

ROWS_READ = 500
ROWS_WRITTEN = 1000


def read_parquet(file: BinaryIO, name: str, most: int) -> Blocks:  # noqa: ARG001  every format takes it
    """Yield a document for each row, a batch of rows at a time."""
    parquet = require_extra("pyarrow.parquet", "parquet", "reading Parquet")
    arrow = require_extra("pyarrow", "parquet", "reading Parquet")
    try:
        for batch in parquet.ParquetFile(file).iter_batches(batch_size=ROWS_READ, use_threads=False):
            yield [to_json(row) for row in batch.to_pylist()]
    except arrow.ArrowException as error:
        yield [UnreadableDocument({"$text": ""}, f"{name}: not a readable Parquet file: {error}")]


class ParquetWriter:
    """Writes groups of rows; a group's bytes follow when it is full."""

    def __init__(self, columns: Sequence[str]) -> None:
        self._arrow = require_extra("pyarrow", "parquet", "writing Parquet")
        self._parquet = require_extra("pyarrow.parquet", "parquet", "writing Parquet")
        self._columns = list(columns)
        self._rows: list[Mapping[str, JSON]] = []
        self._schema: Any = None
        self._found: Any = None
        self._writer: Any = None
        self._written = io.BytesIO()

    def add(self, document: JSON) -> bytes:
        if not is_object(document):
            raise InvalidDocument(f"found {describe_value(document)}; a row is an object")
        self._check(document)
        self._rows.append(document)
        return self._flush_group() if len(self._rows) >= ROWS_WRITTEN else b""

    def end(self) -> bytes:
        rows = self._flush_group()
        if self._writer is None:
            self._open(self._arrow.schema([(name, self._arrow.string()) for name in self._columns]))
        writer: Any = self._writer
        writer.close()
        return rows + self._take_bytes()

    def _check(self, document: Mapping[str, JSON]) -> None:
        """Refuse a row that the file's types cannot hold."""
        unknown = [name for name in document if self._columns and name not in self._columns]
        if unknown:
            raise InvalidDocument(f"no column is named {join_names(unknown)}; the file has {join_names(self._columns)}")
        try:
            if self._schema is not None:
                self._arrow.Table.from_pylist([dict(document)], schema=self._schema)
            else:
                self._found = self._unify(document)
        except (self._arrow.ArrowException, TypeError, OverflowError, ValueError) as error:
            raise InvalidDocument(
                f"a row of other types than the rows before it: {str(error).splitlines()[0]}"
            ) from None

    def _unify(self, document: Mapping[str, JSON]) -> Any:
        """Return types that hold the rows so far and one more; raise when there are none."""
        own = self._arrow.Table.from_pylist([dict(document)]).schema
        if self._found is None:
            return own
        both = self._arrow.unify_schemas([self._found, own], promote_options="permissive")
        if both != self._found:
            self._arrow.Table.from_pylist([*map(dict, self._rows), dict(document)], schema=both)
        else:
            self._arrow.Table.from_pylist([dict(document)], schema=both)
        return both

    def _flush_group(self) -> bytes:
        if not self._rows:
            return b""
        if self._schema is None:
            names = self._columns or list(dict.fromkeys(name for row in self._rows for name in row))
            types = {field.name: field.type for field in self._found}
            self._columns = names
            self._open(self._arrow.schema([(name, types.get(name, self._arrow.null())) for name in names]))
        rows = [dict(row) for row in self._rows]
        self._writer.write_table(self._arrow.Table.from_pylist(rows, schema=self._schema))
        self._rows = []
        return self._take_bytes()

    def _open(self, schema: Any) -> None:
        # A column that is empty so far may hold anything later: as text it can.
        fields = [field.with_type(self._arrow.string()) if str(field.type) == "null" else field for field in schema]
        self._schema = self._arrow.schema(fields)
        self._writer = self._parquet.ParquetWriter(_DrainedFile(self._written), self._schema)

    def _take_bytes(self) -> bytes:
        data = self._written.getvalue()
        self._written.seek(0)
        self._written.truncate()
        return data


class _DrainedFile(io.RawIOBase):
    """A file whose position grows although its written bytes are taken away."""

    def __init__(self, written: io.BytesIO) -> None:
        self._written = written
        self._position = 0

    def writable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._position

    def write(self, data: Any) -> int:
        count = self._written.write(data)
        self._position += count
        return count
