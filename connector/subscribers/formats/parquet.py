"""Parquet files, through pyarrow when it is installed."""

from __future__ import annotations

from typing import BinaryIO

from connector.documents import to_json
from connector.extras import require_extra
from connector.subscribers.context import Lost
from connector.subscribers.formats import Blocks

__all__ = ["documents"]

ROWS = 500


def documents(file: BinaryIO, name: str, most: int) -> Blocks:  # noqa: ARG001  every format takes it
    """A document for each row, a batch of rows at a time."""
    parquet = require_extra("pyarrow.parquet", "parquet", "reading Parquet")
    arrow = require_extra("pyarrow", "parquet", "reading Parquet")
    try:
        for batch in parquet.ParquetFile(file).iter_batches(batch_size=ROWS, use_threads=False):
            yield [to_json(row) for row in batch.to_pylist()]
    except arrow.ArrowException as error:
        yield [Lost({"$text": ""}, f"{name}: not a readable Parquet file: {error}")]
