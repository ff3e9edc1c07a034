"""Read tasks in an order: those of each route and state from an index of their own, merged."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from connector.engine.feed import RANKS, TaskRow
from connector.engine.search.query import Order, PageQuery, Position, TaskFilter
from connector.engine.sqlite.driver import Connection, Row
from connector.engine.tasks import TaskState

__all__ = ["Segment", "Walk", "build_conditions", "find_segments", "parse_row"]

STATES: Sequence[TaskState] = sorted(RANKS, key=lambda state: RANKS[state])
ROW = "id, key, attempts, reason, created, updated, due"
SEGMENTS = (
    "SELECT r.id, r.name, s.value FROM routes r, json_each('[0, 1, 2, 3, 4, 5, 6]') s"
    " WHERE EXISTS (SELECT 1 FROM rows WHERE route = r.id AND state = s.value) ORDER BY r.name, s.value"
)
STRIDES = (64, 32_768)
"""Tasks of a segment that are looked at in its first step and in the longest one, when only some of them fit."""
FEWEST = 8
"""Tasks that are read of a segment in one step, however many segments there are."""


@dataclass(slots=True)
class Segment:
    """The tasks of one route in one state, and up to where they were read."""

    route: int
    name: str
    state: TaskState
    code: int
    position: Position | None = None
    stride: int = STRIDES[0]
    is_read: bool = False
    is_done: bool = False


def find_segments(connection: Connection, wanted: TaskFilter) -> list[Segment]:
    """Return the routes and states that have tasks and that a filter allows."""
    return [
        Segment(route, name, STATES[int(code)], code)
        for route, name, code in connection.execute(SEGMENTS).fetchall()
        if (not wanted.routes or name in wanted.routes) and (not wanted.states or STATES[int(code)] in wanted.states)
    ]


def build_conditions(wanted: TaskFilter) -> tuple[Sequence[str], dict[str, Any]]:
    """Return what a filter demands of rows beyond route and state, with its values."""
    conditions, values = list[str](), dict[str, Any]()
    if wanted.key:
        conditions.append("key = :wanted_key")
        values["wanted_key"] = wanted.key
    if wanted.reason:
        conditions.append("reason > '' AND instr(reason, :wanted_reason) > 0")
        values["wanted_reason"] = wanted.reason
    for number, (column, sign, value) in enumerate(wanted.ranges):
        conditions.append(f"{column} {sign} :range{number}")
        values[f"range{number}"] = value
    return conditions, values


def parse_row(segment: Segment, row: Row) -> TaskRow:
    """Return the task of a row of ROW."""
    number, *rest = row
    return TaskRow(number, segment.name, segment.state, *rest)


class Walk:
    """Steps through the tasks that fit, in their order.

    Args:
        connection: reads the index.
        query: the filter, the order and the page's length.
        after: the place after which the first one lies.
    """

    def __init__(self, connection: Connection, query: PageQuery, after: Position | None) -> None:
        self._connection = connection
        self._order: Order = query.order
        self._conditions, self._values = build_conditions(query.filter)
        self._segments = [
            segment for segment in find_segments(connection, query.filter) if self._may_follow(segment, after)
        ]
        ranged = {f"{query.order.column} >=", f"{query.order.column} <"}
        self._own = {one for one in self._conditions if any(one.startswith(each) for each in ranged)}
        self._others = [one for one in self._conditions if one not in self._own]
        self._most = max(FEWEST, min(query.limit + 1, 4 * query.limit // max(len(self._segments), 1) + 1))
        self._after = after
        self._waiting: list[tuple[Position, TaskRow]] = []
        self.position = after
        """Up to where everything that fits was given."""

    @property
    def is_done(self) -> bool:
        """Whether nothing more follows."""
        return not self._waiting and all(segment.is_done for segment in self._segments)

    def step(self) -> Sequence[TaskRow]:
        """Read a bit more; return the next tasks in their order, perhaps none yet."""
        for segment in self._next_segments():
            self._read(segment)
        return self._take()

    def _may_follow(self, segment: Segment, after: Position | None) -> bool:
        """Return whether a segment has anything after a place, as far as its route or state tells."""
        if after is None or self._order.column not in ("route", "state"):
            return True
        here: Any = segment.name if self._order.column == "route" else segment.code
        there: Any = after[0]
        return bool(here <= there if self._order.descending else here >= there)

    def _next_segments(self) -> Sequence[Segment]:
        """Return the segments that must be read before anything more is certain."""
        unread = [segment for segment in self._segments if not segment.is_read]
        if unread:
            return unread
        behind = self._find_behind()
        return () if behind is None else (behind,)

    def _find_behind(self) -> Segment | None:
        """Return the segment that was read least far."""
        behind: Segment | None = None
        for segment in self._segments:
            if segment.is_done or segment.position is None:
                continue
            if behind is None or behind.position is None or self._order.is_before(segment.position, behind.position):
                behind = segment
        return behind

    def _take(self) -> Sequence[TaskRow]:
        behind = self._find_behind()
        if behind is None or behind.position is None:
            taken, self._waiting = self._waiting, []
        else:
            end = next(
                (at for at, (place, _) in enumerate(self._waiting) if self._order.is_before(behind.position, place)),
                len(self._waiting),
            )
            taken, self._waiting = self._waiting[:end], self._waiting[end:]
        if behind is not None and behind.position is not None:
            self.position = behind.position
        elif taken:
            self.position = taken[-1][0]
        return [row for _, row in taken]

    def _read(self, segment: Segment) -> None:
        """Read the next tasks of a segment."""
        values: dict[str, Any] = {**self._values, "route": segment.route, "state": segment.code, "most": self._most}
        after = self._clip(segment, segment.position or self._after)
        end = self._find_end(segment, after) if self._conditions else None
        bounds = [*self._others, *self._bound(values, after, end)]
        rows = self._connection.execute(self._select(ROW, bounds, ":most"), values).fetchall()
        found = [parse_row(segment, row) for row in rows]
        self._waiting += [(self._order.place(row), row) for row in found]
        self._waiting.sort(key=_place, reverse=self._order.descending)
        segment.is_read = True
        segment.stride = min(segment.stride * 2, STRIDES[1])
        if len(found) == self._most:
            segment.position = self._order.place(found[-1])
        elif end is not None:
            segment.position = end
        else:
            segment.is_done = True

    def _find_end(self, segment: Segment, after: Position | None) -> Position | None:
        """Return the place up to which one step reads; None when that is the segment's end."""
        values: dict[str, Any] = {
            **self._values,
            "route": segment.route,
            "state": segment.code,
            "stride": segment.stride,
        }
        sql = self._select(f"{self._column}, id", self._bound(values, after, None), "1 OFFSET :stride")
        rows = self._connection.execute(sql, values).fetchall()
        return self._join(segment, *rows[0]) if rows else None

    @property
    def _column(self) -> str:
        """The column by which a segment is ordered: its route and state are everywhere the same."""
        return "id" if self._order.column in ("route", "state") else self._order.column

    def _join(self, segment: Segment, value: Any, number: int) -> Position:
        """Return the place that a value and an id have in the order."""
        if self._order.column == "route":
            return segment.name, number
        return (segment.code if self._order.column == "state" else value), number

    def _clip(self, segment: Segment, after: Position | None) -> Position | None:
        """Return the place within a segment after which to read: None for its beginning."""
        if after is None or self._order.column not in ("route", "state"):
            return after
        here = segment.name if self._order.column == "route" else segment.code
        return after if after[0] == here else None

    def _bound(self, values: dict[str, Any], after: Position | None, end: Position | None) -> list[str]:
        """Return one bound on each side: of two, SQLite might begin or end with the wider one."""
        near, far = ("<", ">=") if self._order.descending else (">=", "<")
        own = {one.split()[1]: one for one in self._own}
        bounds: list[str] = []
        if after is not None:
            bounds.append(self._compare(after, values, "after", "<" if self._order.descending else ">"))
        elif near in own:
            bounds.append(own[near])
        if end is not None:
            bounds.append(self._compare(end, values, "end", ">=" if self._order.descending else "<="))
        elif far in own:
            bounds.append(own[far])
        return bounds

    def _compare(self, place: Position, values: dict[str, Any], name: str, sign: str) -> str:
        values[f"{name}_id"] = place[1]
        if self._column == "id":
            return f"id {sign} :{name}_id"
        values[f"{name}_value"] = place[0]
        return f"({self._column}, id) {sign} (:{name}_value, :{name}_id)"

    def _select(self, what: str, bounds: Sequence[str], limit: str) -> str:
        where = " AND ".join(["route = :route", "state = :state", *bounds])
        direction = "DESC" if self._order.descending else "ASC"
        ordered = ", ".join(f"{name} {direction}" for name in dict.fromkeys((self._column, "id")))
        return f"SELECT {what} FROM rows INDEXED BY by_{self._column} WHERE {where} ORDER BY {ordered} LIMIT {limit}"


def _place(waiting: tuple[Position, TaskRow]) -> Any:
    return waiting[0]
