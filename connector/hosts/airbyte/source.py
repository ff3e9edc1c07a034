"""The source: spec, check, discover and read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass

from connector.errors import ConfigurationError, ConnectorError
from connector.hosts.airbyte.messages import Channel
from connector.hosts.streams.form import make_form
from connector.hosts.streams.reader import Mark
from connector.hosts.streams.settings import SourceSettings
from connector.hosts.streams.source import Source, cause_of
from connector.hosts.streams.stream import Stream
from connector.model import JSON, is_document, items, members

__all__ = ["PAGE", "Wanted", "describe", "read", "spec", "states_of", "wanted_of"]

PAGE = "https://platform.openai.com/docs/api-reference"
MODES = ("full_refresh", "incremental")


@dataclass(frozen=True, slots=True)
class Wanted:
    """A stream of a configured catalog.

    Attributes:
        fields: those that a row may have; None for all.
    """

    name: str
    whole: bool
    fields: frozenset[str] | None = None

    def choose(self, row: dict[str, JSON]) -> dict[str, JSON]:
        """Return the fields of a row that are asked for."""
        if self.fields is None or row.keys() <= self.fields:
            return row
        return {name: value for name, value in row.items() if name in self.fields}


def spec(channel: Channel) -> None:
    """Tell how the source is configured."""
    channel.spec(make_form(SourceSettings, "OpenAI"), PAGE)


def describe(stream: Stream) -> dict[str, JSON]:
    """Return a stream as a catalog names it."""
    modes: list[JSON] = list(MODES if stream.cursor else MODES[:1])
    shown: dict[str, JSON] = {
        "name": stream.name,
        "json_schema": dict(stream.schema),
        "supported_sync_modes": modes,
        "source_defined_primary_key": [[field] for field in stream.primary_key],
        "is_resumable": stream.cursor is not None,
    }
    if stream.cursor:
        shown |= {"source_defined_cursor": True, "default_cursor_field": [stream.cursor]}
    return shown


def wanted_of(catalog: JSON) -> list[Wanted]:
    """Return the streams of a configured catalog; ConfigurationError when it is none."""
    streams = members(catalog).get("streams")
    if not isinstance(streams, list):
        raise ConfigurationError("the catalog has no list of streams; it is the configured one that is read by")
    found: list[Wanted] = []
    for place, one in enumerate(items(streams)):
        stream, mode = members(members(one).get("stream")), members(one).get("sync_mode")
        name = stream.get("name")
        if not isinstance(name, str) or mode not in MODES:
            raise ConfigurationError(
                f"catalog: streams.{place}: a stream with a name and a sync_mode of {' or '.join(MODES)} is expected,"
                f" and this is {str(name)[:100]!r} with {str(mode)[:100]!r}"
            )
        chosen = members(members(stream.get("json_schema")).get("properties"))
        found.append(Wanted(name, mode == "full_refresh", frozenset(chosen) or None))
    return found


def states_of(state: JSON) -> dict[str, JSON]:
    """Return the state of each stream that the platform kept; ConfigurationError for what is none."""
    if not state:
        return {}
    kept: dict[str, JSON] = {}
    for one in [state] if is_document(state) and "type" in state else items(state):
        stream = members(members(one).get("stream"))
        name = members(stream.get("stream_descriptor")).get("name")
        if members(one).get("type") != "STREAM" or not isinstance(name, str):
            raise ConfigurationError("the state is none of this source: a list of STREAM states is expected")
        kept[name] = stream.get("stream_state")
    if not kept and state != []:
        raise ConfigurationError("the state is none of this source: a list of STREAM states is expected")
    return kept


async def read(source: Source, wanted: Sequence[Wanted], states: Mapping[str, JSON], channel: Channel) -> bool:
    """Read streams one after the other; return whether all of them came to their end.

    One that fails is told and does not keep the others from being read.
    """
    streams = [(source.find(one.name), one) for one in wanted]
    whole = True
    for stream, one in streams:
        channel.stage(stream.name, "STARTED")
        try:
            await _read_stream(source, stream, one, states.get(stream.name), channel)
        except ConnectorError as error:
            whole = False
            channel.stage(stream.name, "INCOMPLETE")
            channel.error(f"{stream.name}: {error}", cause_of(error), stream=stream.name)
        else:
            channel.stage(stream.name, "COMPLETE")
    return whole


async def _read_stream(source: Source, stream: Stream, wanted: Wanted, state: JSON, channel: Channel) -> None:
    rows, is_running = 0, False
    if not wanted.whole and stream.cursor is None:
        raise ConfigurationError("it has no cursor, so it can only be read with full_refresh")
    async with aclosing(source.reader.read(stream, state, whole=wanted.whole)) as found:
        async for one in found:
            if isinstance(one, Mark):
                channel.state(stream.name, one.state, rows)
                rows = 0
                continue
            if not is_running:
                is_running = True
                channel.stage(stream.name, "RUNNING")
            rows += 1
            channel.record(stream.name, wanted.choose(one.data))
