"""What dlt is told of a table's columns: the types that a stream's schema is sure of."""

from __future__ import annotations

from typing import TYPE_CHECKING

from connector.hosts.streams.row_schema import types_of
from connector.hosts.streams.stream import Stream
from connector.model import members

if TYPE_CHECKING:
    from dlt.common.data_types.typing import TDataType
    from dlt.common.schema.typing import TTableSchemaColumns

__all__ = ["columns_of"]

TYPES: dict[str, TDataType] = {"string": "text", "integer": "bigint", "number": "double", "boolean": "bool"}


def columns_of(stream: Stream) -> TTableSchemaColumns:
    """Return the columns of values of one type; what is nested, or of several types, dlt sees for itself."""
    columns: TTableSchemaColumns = {}
    for name, schema in members(stream.schema.get("properties")).items():
        types = [one for one in types_of(schema) if one != "null"]
        if len(types) == 1 and types[0] in TYPES:
            is_key = name in stream.primary_key
            columns[name] = {"name": name, "data_type": TYPES[types[0]], "nullable": not is_key}
    return columns
