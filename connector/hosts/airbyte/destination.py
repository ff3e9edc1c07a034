"""The destination: spec, check, and write, which tells a state only when the rows before it are published."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterable, Mapping, Sequence
from dataclasses import dataclass

from connector.errors import ConfigurationError, InvalidDocument
from connector.hosts.airbyte.messages import Channel
from connector.hosts.rows.lines import LineReader
from connector.hosts.rows.publisher import RowPublisher, Trouble, key_of
from connector.hosts.rows.settings import RowSettings
from connector.hosts.streams.form import make_form
from connector.model import JSON, is_document, items, members

__all__ = ["Written", "spec", "write", "written_of"]

PAGE = "https://platform.openai.com/docs/api-reference"
MODES = ("append",)


@dataclass(frozen=True, slots=True)
class Written:
    """A stream that is written.

    Attributes:
        primary_key: the paths of the fields that tell rows apart.
        scope: what keeps its rows apart from equal ones of an earlier generation, or of an earlier sync.
    """

    primary_key: Sequence[Sequence[str]]
    scope: str


def spec(channel: Channel) -> None:
    """Tell how the destination is configured."""
    channel.spec(make_form(RowSettings, "OpenAI: publish rows"), PAGE, MODES)


def written_of(catalog: JSON, *, each_sync: bool) -> dict[str, Written]:
    """Return the streams of a configured catalog by name; ConfigurationError when it is none."""
    streams = members(catalog).get("streams")
    if not isinstance(streams, list):
        raise ConfigurationError("the catalog has no list of streams; it is the configured one that is written by")
    found: dict[str, Written] = {}
    for place, one in enumerate(items(streams)):
        told = members(one)
        stream = members(told.get("stream"))
        name, mode = stream.get("name"), told.get("destination_sync_mode")
        if not isinstance(name, str) or mode not in MODES:
            raise ConfigurationError(
                f"catalog: streams.{place}: {str(name)[:100]!r} is to be written with {str(mode)[:100]!r}; rows are"
                f" published, and cannot be taken back: {' or '.join(MODES)} is expected"
            )
        key = told.get("primary_key") or stream.get("source_defined_primary_key")
        path = [[str(part) for part in items(field)] for field in items(key)]
        scope = [told.get("generation_id"), *((told.get("sync_id"),) if each_sync else ())]
        full = "/".join((str(stream["namespace"]), name)) if stream.get("namespace") else name
        found[full] = Written(path, "/".join(str(one) for one in scope if one is not None))
    return found


async def write(
    publisher: RowPublisher, streams: Mapping[str, Written], source: AsyncIterable[bytes], channel: Channel
) -> bool:
    """Publish the rows of a source; return whether all of them were."""
    counts: Counter[str] = Counter()
    reader = LineReader()
    async for line in source:
        message = _parse(line, reader, channel)
        if message.get("type") == "RECORD":
            told = members(message.get("record"))
            name = "/".join(str(told[part]) for part in ("namespace", "stream") if told.get(part))
            row = told.get("data")
            if name not in streams or not is_document(row):
                where = f"line {reader.number}: a record of the stream {name[:100]!r}"
                raise ConfigurationError(f"{where} is not in the catalog")
            written = streams[name]
            await publisher.publish(key_of(name, row, written.primary_key, written.scope), row)
            counts[name] += 1
        elif message.get("type") == "STATE":
            if not _tell(await publisher.settle(), channel):
                return False
            _echo(message, counts, channel)
    return _tell(await publisher.settle(), channel)


def _echo(message: dict[str, JSON], counts: Counter[str], channel: Channel) -> None:
    """Give a state back, with how many rows of its stream were published since the last one."""
    state = members(message.get("state"))
    about = members(members(state.get("stream")).get("stream_descriptor"))
    name = "/".join(str(about[part]) for part in ("namespace", "name") if about.get(part))
    rows = counts.pop(name, 0) if name else counts.total()
    if not name:
        counts.clear()
    channel.echo({**message, "state": {**state, "destinationStats": {"recordCount": float(rows)}}})


def _tell(troubles: Sequence[Trouble], channel: Channel) -> bool:
    """Tell what keeps rows from being published; return whether nothing does."""
    for trouble in troubles:
        channel.error(trouble.message, trouble.cause)
    return not troubles


def _parse(line: bytes, reader: LineReader, channel: Channel) -> dict[str, JSON]:
    """Return a message; what was printed by mistake goes into the log, unless it may be a row that was cut."""
    try:
        message = reader.read(line)
    except ValueError as error:
        if line.lstrip().startswith(b"{"):
            raise InvalidDocument(f"line {reader.number}: {error}; it may be a row that was cut") from None
        message = None
    if is_document(message):
        return message
    channel.log("WARN", f"this is no message: {line[:200].decode(errors='replace')}")
    return {}
