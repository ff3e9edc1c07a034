"""The target: records are published, and a state is told only when the records before it are."""

from __future__ import annotations

from collections.abc import AsyncIterable, Mapping, Sequence

from connector.errors import ConfigurationError
from connector.hosts.pipe import Lines
from connector.hosts.rows.lines import LineReader
from connector.hosts.rows.publisher import RowPublisher, Trouble, key_of
from connector.model import JSON, is_document, items, members

__all__ = ["write"]


async def write(publisher: RowPublisher, source: AsyncIterable[bytes], lines: Lines) -> Sequence[Trouble]:
    """Publish the records of a tap; return what keeps any of them from being published.

    Args:
        source: the messages of the tap, one a line.
        lines: states are told here.
    """
    keys: dict[str, Sequence[str]] = {}
    reader = LineReader()
    async for line in source:
        message = _parse(line, reader)
        number = reader.number
        kind, stream = message.get("type"), str(message.get("stream", ""))
        if kind == "SCHEMA":
            keys[stream] = _check_schema(message, number)
        elif kind == "RECORD":
            if stream not in keys:
                raise ConfigurationError(f"line {number}: a record of {stream!r} comes before its SCHEMA")
            row = message.get("record")
            if not is_document(row):
                raise ConfigurationError(f"line {number}: a record is an object")
            path = [[name] for name in keys[stream]]
            await publisher.publish(key_of(stream, row, path, ""), row)
        elif kind == "STATE":
            troubles = await publisher.settle()
            if troubles:
                return troubles
            lines.write(message.get("value"))
            lines.flush()
        elif kind != "ACTIVATE_VERSION":  # what was published cannot be taken back
            raise ConfigurationError(
                f"line {number}: the type {kind!r} is not taken; SCHEMA, RECORD, STATE and ACTIVATE_VERSION are"
            )
    return await publisher.settle()


def _parse(line: bytes, reader: LineReader) -> dict[str, JSON]:
    try:
        message = reader.read(line)
    except ValueError as error:
        raise ConfigurationError(f"line {reader.number}: {error}") from None
    if not is_document(message) or "type" not in message:
        raise ConfigurationError(f"line {reader.number}: a message with a type is expected")
    return message


def _check_schema(message: Mapping[str, JSON], number: int) -> Sequence[str]:
    """Return the names of the fields that tell records apart."""
    schema = message.get("schema")
    if not is_document(schema) or not is_document(schema.get("properties")):
        raise ConfigurationError(f"line {number}: a SCHEMA has a schema with properties")
    names = [str(name) for name in items(message.get("key_properties"))]
    missing = [name for name in names if name not in members(schema.get("properties"))]
    if missing:
        raise ConfigurationError(f"line {number}: key_properties names {', '.join(missing)}, which the schema has not")
    return names
