"""Server-sent events from bytes that are cut anywhere."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterable
from contextlib import aclosing, suppress
from dataclasses import dataclass

import httpx
import orjson

from connector.catalogue.operation import Operation
from connector.http.response import UnacceptableBody, is_error
from connector.http.watch import tell_watcher
from connector.model import JSON, State, members

__all__ = ["BrokenStream", "EventParser", "ServerEvent", "collect_data", "drain", "iter_data"]

BOM = b"\xef\xbb\xbf"
DONE = "[DONE]"
PATIENCE = 0.1


@dataclass(frozen=True, slots=True)
class ServerEvent:
    """One event: its name (empty when it has none), its data, and the last id the stream gave."""

    name: str
    data: str
    id: str = ""


class EventParser:
    """Takes bytes as they come and gives each event once its blank line is there."""

    def __init__(self, most: int = 64 * 1024 * 1024) -> None:
        self._most = most
        self._rest = bytearray()
        self._searched = 0
        self._is_begun = False
        self._after_cr = False
        self._name = ""
        self._data: list[bytes] = []
        self._size = 0
        self._id = ""

    def feed(self, chunk: bytes) -> list[ServerEvent]:
        """Return the events that this chunk completes."""
        if self._after_cr and chunk:
            # The CR has ended its line already; a LF that follows belongs to it.
            self._after_cr = False
            chunk = chunk.removeprefix(b"\n")
        self._rest += chunk
        if not self._is_begun and not self._skip_mark():
            return []
        events = [event for line in self._take_lines() if (event := self._read_line(line)) is not None]
        if len(self._rest) + self._size > self._most:
            raise UnacceptableBody(f"an event of the stream is larger than {self._most} bytes")
        return events

    def close(self) -> list[ServerEvent]:
        """Return the event that the end of the stream completes: only its blank line is missing."""
        self._is_begun = True
        rest = bytes(self._rest)
        self._rest.clear()
        if rest in (b"data: [DONE]", b"data:[DONE]"):
            self._read_line(rest)
        last = self._dispatch()
        return [last] if last is not None else []

    def _skip_mark(self) -> bool:
        """Drop a byte order mark; False while the first bytes may still become one."""
        if BOM.startswith(bytes(self._rest)) and len(self._rest) < len(BOM):
            return False
        if self._rest.startswith(BOM):
            del self._rest[: len(BOM)]
        self._is_begun = True
        return True

    def _take_lines(self) -> list[bytes]:
        """Return the complete lines; a CR ends one at once, since nothing need follow it."""
        rest = self._rest
        end = max(rest.rfind(b"\n", self._searched), rest.rfind(b"\r", self._searched))
        if end < 0:
            self._searched = len(rest)
            return []
        whole = bytes(rest[: end + 1])
        del rest[: end + 1]
        self._searched = 0
        self._after_cr = whole.endswith(b"\r") and not rest
        return whole.replace(b"\r\n", b"\n").replace(b"\r", b"\n").split(b"\n")[:-1]

    def _read_line(self, line: bytes) -> ServerEvent | None:
        if not line:
            return self._dispatch()
        name, _, value = line.partition(b":")
        value = value.removeprefix(b" ")
        if name == b"data":
            self._data.append(value)
            self._size += len(value) + 1
        elif name == b"event":
            self._name = value.decode(errors="replace")
        elif name == b"id" and b"\0" not in value:
            self._id = value.decode(errors="replace")
        return None

    def _dispatch(self) -> ServerEvent | None:
        """Return the event that a blank line ends; one without data is none."""
        data, name = self._data, self._name
        self._data, self._name, self._size = [], "", 0
        if not data:
            return None
        return ServerEvent(name, b"\n".join(data).decode(errors="replace"), self._id)


class BrokenStream(Exception):
    """A stream that is not done: the API refused it (refused), or it has no known end (unknown)."""

    def __init__(self, state: State, reason: str = "", complaint: JSON = None) -> None:
        super().__init__(reason)
        self.state = state
        self.complaint = complaint
        self.seen: list[JSON] = []


async def iter_data(chunks: AsyncIterable[bytes], operation: Operation | None, most: int) -> AsyncGenerator[JSON, None]:
    """Yield each event's datum as it comes, wrapped as {event, data} when the datum does not name its event."""
    ends = operation.ends if operation is not None else ()
    async with aclosing(_iter_events(chunks, most)) as events:
        async for event in events:
            if event.data == DONE:
                return
            datum = _parse_datum(event)
            kind = event.name or _find_type(datum)
            if kind == "error" or is_error(datum):
                raise BrokenStream(State.REFUSED, complaint=datum)
            yield datum if not event.name or event.name == _find_type(datum) else {"event": event.name, "data": datum}
            if kind in ends:
                if kind.endswith(".failed"):
                    raise BrokenStream(State.REFUSED, complaint=_find_inner(datum))
                return
    if ends:
        raise BrokenStream(State.UNKNOWN, f"the stream ended without {' or '.join(ends)}")


async def drain(chunks: AsyncIterable[bytes]) -> None:
    """Read what may follow the end of a stream, for a moment, so that its connection can be used again."""
    with suppress(TimeoutError, httpx.TransportError, UnacceptableBody):
        async with asyncio.timeout(PATIENCE):
            async for _ in chunks:
                pass


async def collect_data(chunks: AsyncIterable[bytes], operation: Operation | None, most: int) -> list[JSON]:
    """Return all the data of a stream; what broke it carries what was seen before."""
    seen: list[JSON] = []
    try:
        async with aclosing(iter_data(chunks, operation, most)) as data:
            async for datum in data:
                seen.append(datum)  # what was seen before a break must not be lost with it
                tell_watcher(datum)
    except BrokenStream as exc:
        broken = exc
    except (httpx.TransportError, UnacceptableBody) as exc:
        broken = BrokenStream(State.UNKNOWN, str(exc))
    else:
        await drain(chunks)
        return seen
    broken.seen = seen
    raise broken


async def _iter_events(chunks: AsyncIterable[bytes], most: int) -> AsyncGenerator[ServerEvent, None]:
    parser = EventParser(most)
    async for chunk in chunks:
        for event in parser.feed(chunk):
            yield event
    for event in parser.close():
        yield event


def _parse_datum(event: ServerEvent) -> JSON:
    try:
        return orjson.loads(event.data)
    except orjson.JSONDecodeError:
        if event.data.lstrip()[:1] in ("{", "["):
            raise BrokenStream(State.UNKNOWN, "an event of the stream is not whole JSON") from None
        return event.data


def _find_type(datum: JSON) -> str:
    kind = members(datum).get("type")
    return kind if isinstance(kind, str) else ""


def _find_inner(datum: JSON) -> JSON:
    """Return the entity inside a terminal event, which holds the error."""
    inner = map(members, members(datum).values())
    return next((value for value in inner if "error" in value), datum)
