"""What the events of a stream mean: data, an error, or the end; a stream without its end is not done."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterable
from contextlib import aclosing, suppress

import httpx
import orjson

from connector.catalogue.operation import Operation
from connector.http.complaint import is_complaint
from connector.http.decompress import Unacceptable
from connector.http.events import EventParser, ServerEvent
from connector.model import JSON, State, members

__all__ = ["StreamBroken", "collected", "data_of", "drained"]

DONE = "[DONE]"
PATIENCE = 0.1


class StreamBroken(Exception):
    """A stream that is not done: the API says no (refused), or nobody saw its end (unknown)."""

    def __init__(self, state: State, reason: str = "", complaint: JSON = None) -> None:
        super().__init__(reason)
        self.state = state
        self.complaint = complaint
        self.seen: list[JSON] = []


async def data_of(chunks: AsyncIterable[bytes], operation: Operation | None, most: int) -> AsyncGenerator[JSON, None]:
    """Each event's datum as it comes, wrapped as {event, data} only when the datum does not name its event itself."""
    ends = operation.ends if operation is not None else ()
    async with aclosing(_events(chunks, most)) as events:
        async for event in events:
            if event.data == DONE:
                return
            datum = _datum(event)
            kind = event.name or _type(datum)
            if kind == "error" or is_complaint(datum):
                raise StreamBroken(State.REFUSED, complaint=datum)
            yield datum if not event.name or event.name == _type(datum) else {"event": event.name, "data": datum}
            if kind in ends:
                if kind.endswith(".failed"):
                    raise StreamBroken(State.REFUSED, complaint=_inner(datum))
                return
    if ends:
        raise StreamBroken(State.UNKNOWN, f"the stream ended without {' or '.join(ends)}")


async def drained(chunks: AsyncIterable[bytes]) -> None:
    """Reads what may follow the end of a stream, for a moment, so that its connection can be used again."""
    with suppress(TimeoutError, httpx.TransportError, Unacceptable):
        async with asyncio.timeout(PATIENCE):
            async for _ in chunks:
                pass


async def collected(chunks: AsyncIterable[bytes], operation: Operation | None, most: int) -> list[JSON]:
    """All the data of a stream; what broke it carries what was seen before."""
    seen: list[JSON] = []
    try:
        async with aclosing(data_of(chunks, operation, most)) as data:
            async for datum in data:
                seen.append(datum)  # noqa: PERF401  what was seen before a break must not be lost with it
    except StreamBroken as exc:
        broken = exc
    except (httpx.TransportError, Unacceptable) as exc:
        broken = StreamBroken(State.UNKNOWN, str(exc))
    else:
        await drained(chunks)
        return seen
    broken.seen = seen
    raise broken


async def _events(chunks: AsyncIterable[bytes], most: int) -> AsyncGenerator[ServerEvent, None]:
    parser = EventParser(most)
    async for chunk in chunks:
        for event in parser.feed(chunk):
            yield event
    for event in parser.close():
        yield event


def _datum(event: ServerEvent) -> JSON:
    try:
        return orjson.loads(event.data)
    except orjson.JSONDecodeError:
        if event.data.lstrip()[:1] in ("{", "["):
            raise StreamBroken(State.UNKNOWN, "an event of the stream is not whole JSON") from None
        return event.data


def _type(datum: JSON) -> str:
    kind = members(datum).get("type")
    return kind if isinstance(kind, str) else ""


def _inner(datum: JSON) -> JSON:
    """The entity inside a terminal event, which holds the error."""
    inner = map(members, members(datum).values())
    return next((value for value in inner if "error" in value), datum)
