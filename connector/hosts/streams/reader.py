"""Reading a stream: rows, and between them marks from which the next reading may go on."""

from __future__ import annotations

import logging
import time
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import aclosing
from dataclasses import dataclass, replace
from typing import TypeVar

from connector.hosts.streams.position import Position
from connector.hosts.streams.reports import ReportQuery, rows_of_bucket
from connector.hosts.streams.settings import SourceSettings
from connector.hosts.streams.stream import Stream
from connector.http import Client
from connector.model import JSON, CallFailed, is_document, members
from connector.pagination import items_of, next_query
from connector.subscriber import Subscriber

__all__ = ["Mark", "Row", "StreamReader"]

DAY = 86_400
GONE = 404
REFUSED = (400, GONE)
ROWS_PER_MARK = 1000
"""Rows between two marks of a stream that has a position for each parent, since all of them are told each time."""
PAGE = 100

Found = TypeVar("Found")

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Row:
    """One row of a stream."""

    data: dict[str, JSON]


@dataclass(frozen=True, slots=True)
class Mark:
    """A state that covers every row before it."""

    state: dict[str, JSON]


@dataclass(frozen=True, slots=True)
class StreamReader:
    """Reads streams through a client.

    Args:
        client: has the keys.
        settings: since when, and how reports are split.
        wall: the time as Unix seconds.
    """

    client: Client
    settings: SourceSettings
    wall: Callable[[], float] = time.time

    async def read(self, stream: Stream, state: JSON = None, *, whole: bool = False) -> AsyncGenerator[Row | Mark]:
        """Yield a stream's rows and marks; CallFailed for what cannot be read.

        Args:
            state: that of the last mark which the host has kept.
            whole: whether everything is read, whatever was read before.
        """
        if whole or stream.cursor is None:
            async for row in self._read_whole(stream):
                yield row
        elif stream.parent is None:
            async for found in self._read_list(stream, {}, Position.of(state)):
                yield Mark(found.as_document()) if isinstance(found, Position) else found
        else:
            async for child in self._read_children(stream, state):
                yield child

    async def _read_whole(self, stream: Stream) -> AsyncGenerator[Row]:
        async for ids in self._families(stream):
            async with aclosing(self._read_list(stream, ids, Position())) as found:
                async for one in _skip_gone(found, stream, ids):
                    if isinstance(one, Row):
                        yield one

    async def _read_children(self, stream: Stream, state: JSON) -> AsyncGenerator[Row | Mark]:
        """Yield the children of every parent, each from its own position: they grow apart."""
        known = members(members(state).get("parents"))
        positions, seen, rows = dict(known), set[str](), 0
        async for ids in self._families(stream):
            place = "/".join(ids.values())
            seen.add(place)
            async with aclosing(self._read_list(stream, ids, Position.of(known.get(place)))) as found:
                async for one in _skip_gone(found, stream, ids):
                    if isinstance(one, Row):
                        rows += 1
                        yield one
                        continue
                    positions[place] = one.as_document()
                    if rows >= ROWS_PER_MARK:
                        rows = 0
                        yield Mark({"parents": dict(positions)})
        yield Mark({"parents": {place: position for place, position in positions.items() if place in seen}})

    async def _families(self, stream: Stream) -> AsyncGenerator[dict[str, str]]:
        """Yield the path parameters of each list that a stream consists of: one for each row of its parent."""
        if stream.parent is None:
            yield {}
            return
        names = list(zip(stream.operation.parameters, stream.parent.primary_key, strict=True))
        async for row in self._read_whole(stream.parent):
            yield {name: str(row.data[field]) for name, field in names}

    async def _read_list(
        self, stream: Stream, ids: Mapping[str, str], known: Position
    ) -> AsyncGenerator[Row | Position]:
        read = self._read_report if stream.is_report else self._read_entities
        try:
            async for found in read(stream, ids, known):
                yield found
        except CallFailed as error:
            if not known.reading or error.outcome.status not in REFUSED:
                raise
            log.warning("%s: the reading that was broken off cannot go on, so it begins again: %s", stream.name, error)
            async for found in read(stream, ids, replace(known, reading={})):
                yield found

    async def _read_entities(
        self, stream: Stream, ids: Mapping[str, str], known: Position
    ) -> AsyncGenerator[Row | Position]:
        """Yield the entities of a list, the newest first; those that were given long before are left out."""
        subscriber, cursor = Subscriber(self.client, stream.operation.name), stream.cursor
        since = self._since(known.cursor)
        newest = _latest(known.cursor, known.reading.get("newest"))
        is_ordered = "order" in stream.operation.query and cursor is not None
        query = {**_query(stream, since), **members(known.reading.get("query"))}
        async with aclosing(subscriber.pages({"path": dict(ids), "query": query})) as pages:
            async for page in pages:
                is_old = False
                for entity in items_of(page.require()):
                    row = _as_row(entity, ids)
                    when = row.data.get(cursor) if cursor else None
                    if since is not None and isinstance(when, int) and when < since:
                        is_old = True
                        continue
                    newest = _latest(newest, when)
                    yield row
                more = next_query(subscriber.paging, page.body)
                if not more or (is_old and is_ordered):
                    break
                yield Position(known.cursor, {"query": more, "newest": newest})
        yield Position(newest)

    async def _read_report(
        self, stream: Stream, ids: Mapping[str, str], known: Position
    ) -> AsyncGenerator[Row | Position]:
        """Yield the results of a report's time spans, the oldest first; the last spans may still change."""
        asked = ReportQuery.of(stream, self.settings)
        begun = known.reading.get("start_time")
        start = begun if isinstance(begun, int) else self._since(known.cursor)
        last = known.cursor
        query = asked.query(start if start is not None else int(self.wall()) - 30 * DAY)
        subscriber = Subscriber(self.client, stream.operation.name)
        async with aclosing(subscriber.pages({"path": dict(ids), "query": query})) as pages:
            async for page in pages:
                for bucket in items_of(page.require()):
                    for row in rows_of_bucket(members(bucket), asked):
                        yield Row(row)
                    last = _latest(last, members(bucket).get("start_time"))
                if next_query(subscriber.paging, page.body):
                    yield Position(known.cursor, {"start_time": last} if last is not None else {})
        yield Position(last)

    def _since(self, cursor: int | None) -> int | None:
        """Return the time before which nothing is read again."""
        back = None if cursor is None else cursor - self.settings.lookback_days * DAY
        return _latest(back, self.settings.start)


async def _skip_gone(found: AsyncGenerator[Found], stream: Stream, ids: Mapping[str, str]) -> AsyncGenerator[Found]:
    """Yield what is found below a parent; one that was deleted meanwhile has nothing."""
    try:
        async for one in found:
            yield one
    except CallFailed as error:
        if not ids or error.outcome.status != GONE:
            raise
        log.warning("%s: %s is gone, so nothing below it was read", stream.name, "/".join(ids.values()))


def _query(stream: Stream, since: int | None) -> dict[str, JSON]:
    """Return the query of a list's first page."""
    offered = stream.operation.query
    query: dict[str, JSON] = {}
    if "order" in offered and stream.cursor is not None:
        query["order"] = "desc"
    if stream.cursor == "effective_at" and stream.cursor in offered and since is not None:
        query[stream.cursor] = {"gte": since}
    most = members(offered.get("limit")).get("maximum")
    if isinstance(most, int) and most >= PAGE:
        query["limit"] = PAGE
    return query


def _as_row(entity: JSON, ids: Mapping[str, str]) -> Row:
    return Row({**(entity if is_document(entity) else {"value": entity}), **ids})


def _latest(one: int | None, other: JSON) -> int | None:
    """Return the later of two times."""
    if not isinstance(other, int) or isinstance(other, bool):
        return one
    return other if one is None else max(one, other)
