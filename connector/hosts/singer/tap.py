"""The tap: a catalog of streams, and the messages of those that are selected."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass

from connector.errors import ConfigurationError, ConnectorError
from connector.hosts.pipe import Lines
from connector.hosts.streams.reader import Row
from connector.hosts.streams.source import Source
from connector.hosts.streams.stream import Stream
from connector.model import JSON, is_document, items, members

__all__ = ["Selected", "bookmarks_of", "describe", "read", "selected_of"]

METHODS = ("INCREMENTAL", "FULL_TABLE")
About = Mapping[tuple[str, ...], Mapping[str, JSON]]
"""What a catalog says of a stream and its fields, by where it says it."""


@dataclass(frozen=True, slots=True)
class Selected:
    """A stream that is read.

    Attributes:
        fields: those that its rows have.
        whole: whether it is read from its beginning.
    """

    stream: Stream
    fields: frozenset[str]
    whole: bool


def describe(stream: Stream) -> dict[str, JSON]:
    """Return a stream as a catalog names it: selected, unless its user says otherwise."""
    about: dict[str, JSON] = {
        "inclusion": "available",
        "selected-by-default": True,
        "table-key-properties": [*stream.primary_key],
        "forced-replication-method": METHODS[0] if stream.cursor else METHODS[1],
    }
    if stream.cursor:
        about["valid-replication-keys"] = [stream.cursor]
    needed = _needed(stream)
    fields: list[JSON] = [
        {
            "breadcrumb": ["properties", name],
            "metadata": {"inclusion": "automatic" if name in needed else "available", "selected-by-default": True},
        }
        for name in members(stream.schema.get("properties"))
    ]
    return {
        "tap_stream_id": stream.name,
        "stream": stream.name,
        "schema": dict(stream.schema),
        "key_properties": [*stream.primary_key],
        **({"replication_key": stream.cursor} if stream.cursor else {}),
        "metadata": [{"breadcrumb": [], "metadata": about}, *fields],
    }


def selected_of(source: Source, catalog: JSON) -> list[Selected]:
    """Return what a catalog selects; everything without one. ConfigurationError when it is none."""
    if catalog is None:
        return [_select(stream, {}) for stream in source.streams.values()]
    streams = members(catalog).get("streams")
    if not isinstance(streams, list):
        raise ConfigurationError("the catalog has no list of streams; --discover prints one to begin with")
    found: list[Selected] = []
    for one in items(streams):
        about = _read_metadata(members(one))
        if _is_selected(about.get((), {}), members(members(one).get("schema")).get("selected")):
            name = members(one).get("tap_stream_id") or members(one).get("stream")
            found.append(_select(source.find(str(name)), about))
    return found


def bookmarks_of(state: JSON) -> dict[str, JSON]:
    """Return the bookmarks of a state; ConfigurationError when it is none."""
    if not is_document(state) or not is_document(state.get("bookmarks", {})):
        raise ConfigurationError('the state is none of a tap: {"bookmarks": {STREAM: …}} is expected')
    return dict(members(state.get("bookmarks")))


async def read(
    source: Source,
    selected: Sequence[Selected],
    bookmarks: dict[str, JSON],
    lines: Lines,
    tell: Callable[[str], None],
) -> bool:
    """Write the rows of streams, one after the other; return whether all of them came to their end.

    Args:
        bookmarks: of all streams; those that are read are moved on.
        tell: told what cannot be read; the other streams are read nevertheless.
    """
    whole = True
    for one in selected:
        try:
            await _read_stream(source, one, bookmarks, lines)
        except ConnectorError as error:
            whole = False
            lines.flush()
            tell(f"{one.stream.name}: {error}")
    if not selected:
        tell("no stream is selected")
    return whole


async def _read_stream(source: Source, selected: Selected, bookmarks: dict[str, JSON], lines: Lines) -> None:
    stream, known = selected.stream, members(selected.stream.schema.get("properties"))
    shown = {name: one for name, one in known.items() if name in selected.fields}
    message: dict[str, JSON] = {"type": "SCHEMA", "stream": stream.name, "key_properties": [*stream.primary_key]}
    message["schema"] = {**stream.schema, "properties": shown}
    lines.write({**message, "bookmark_properties": [stream.cursor]} if stream.cursor else message)
    version: dict[str, JSON] = {"version": int(source.reader.wall() * 1000)} if selected.whole else {}
    state = None if selected.whole else bookmarks.get(stream.name)
    async with aclosing(source.reader.read(stream, state, whole=selected.whole)) as found:
        async for one in found:
            if isinstance(one, Row):
                row = {name: value for name, value in one.data.items() if name in selected.fields}
                lines.write({"type": "RECORD", "stream": stream.name, "record": row, **version})
            else:
                bookmarks[stream.name] = _as_bookmark(stream, one.state)
                _write_state(bookmarks, lines)
    if version:
        lines.write({"type": "ACTIVATE_VERSION", "stream": stream.name, **version})
        _write_state(bookmarks, lines)


def _write_state(bookmarks: Mapping[str, JSON], lines: Lines) -> None:
    lines.write({"type": "STATE", "value": {"bookmarks": dict(bookmarks)}})
    lines.flush()


def _as_bookmark(stream: Stream, state: Mapping[str, JSON]) -> dict[str, JSON]:
    """Return a state with the two members by which other tools show it."""
    value = state.get("cursor")
    shown: dict[str, JSON] = {"replication_key": stream.cursor, "replication_key_value": value}
    return {**state, **shown} if value is not None else dict(state)


def _select(stream: Stream, about: About) -> Selected:
    needed = _needed(stream)
    fields = {
        name
        for name in members(stream.schema.get("properties"))
        if name in needed or _is_selected(about.get(("properties", name), {}), None)
    }
    method = about.get((), {}).get("replication-method", METHODS[0] if stream.cursor else METHODS[1])
    if method not in METHODS or (method == METHODS[0] and stream.cursor is None):
        allowed = " or ".join(METHODS) if stream.cursor else METHODS[1]
        raise ConfigurationError(f"{stream.name}: replication-method: {allowed} is expected, and this is {method!r}")
    return Selected(stream, frozenset(fields), method == METHODS[1])


def _needed(stream: Stream) -> set[str]:
    """Return the fields that rows always have."""
    return {*stream.primary_key, *((stream.cursor,) if stream.cursor else ())}


def _is_selected(about: Mapping[str, JSON], older: JSON) -> bool:
    """Return whether something is selected: by its user, else by default."""
    if about.get("inclusion") == "unsupported":
        return False
    said = (about.get("selected"), older, about.get("selected-by-default"))
    return next((one for one in said if isinstance(one, bool)), True)


def _read_metadata(stream: Mapping[str, JSON]) -> About:
    said = (members(one) for one in items(stream.get("metadata")))
    return {tuple(str(part) for part in items(one.get("breadcrumb"))): members(one.get("metadata")) for one in said}
