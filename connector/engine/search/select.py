"""Find all tasks that fit, when they are few: by the narrowest condition, whatever the order."""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from typing import Any

import apsw
import orjson

from connector.engine.feed import TaskRow
from connector.engine.search.query import TaskFilter
from connector.engine.search.walk import ROW, Segment, build_conditions, find_segments, parse_row
from connector.engine.sqlite.driver import Connection
from connector.engine.tasks import TaskState

__all__ = ["count_states", "find_by_document", "find_by_row", "read_rows"]

STEPS = 5_000
"""Instructions of SQLite's machine between two looks at the clock."""
DOCUMENTS = "SELECT rowid FROM text WHERE text MATCH ? AND rowid <= ? LIMIT ?"
NEWER = "SELECT id FROM rows WHERE id > ? LIMIT ?"


@contextmanager
def limit_time(connection: Connection, is_late: Callable[[], bool]) -> Generator[None]:
    """Break a query off with InterruptError once it is late."""
    connection.set_progress_handler(is_late, STEPS)
    try:
        yield
    finally:
        connection.set_progress_handler(None)


def find_by_document(
    connection: Connection, expression: str, indexed: int, most: int, is_late: Callable[[], bool]
) -> Sequence[int] | None:
    """Return the tasks whose documents may fit; None when they are more than that or it takes too long.

    Args:
        expression: what the trigrams must be.
        indexed: up to which task documents are indexed; later ones may all fit.
    """
    try:
        with limit_time(connection, is_late):
            found = connection.execute(DOCUMENTS, (expression, indexed, most + 1)).fetchall()
            found += connection.execute(NEWER, (indexed, most + 1 - len(found))).fetchall()
    except apsw.InterruptError:
        return None
    return None if len(found) > most else [number for (number,) in found]


def find_by_row(
    connection: Connection, wanted: TaskFilter, most: int, is_late: Callable[[], bool]
) -> Sequence[TaskRow] | None:
    """Return the tasks whose rows fit; None when they are more than that or it takes too long."""
    conditions, values = build_conditions(wanted)
    found: list[TaskRow] = []
    try:
        with limit_time(connection, is_late):
            for segment in find_segments(connection, wanted):
                sql = f"SELECT {ROW} FROM {_source(wanted, conditions)} LIMIT :most"
                rows = connection.execute(sql, _bind(values, segment, most=most + 1 - len(found))).fetchall()
                found += [parse_row(segment, row) for row in rows]
                if len(found) > most:
                    return None
    except apsw.InterruptError:
        return None
    return found


def count_states(
    connection: Connection, wanted: TaskFilter, is_late: Callable[[], bool]
) -> dict[TaskState, int] | None:
    """Return how many tasks have fitting rows, by state; None when it takes too long."""
    conditions, values = build_conditions(wanted)
    counts: dict[TaskState, int] = {}
    try:
        with limit_time(connection, is_late):
            for segment in find_segments(connection, wanted):
                sql = f"SELECT count(*) FROM {_source(wanted, conditions)}"
                ((tasks,),) = connection.execute(sql, _bind(values, segment)).fetchall()
                if tasks:
                    counts[segment.state] = counts.get(segment.state, 0) + int(tasks)
    except apsw.InterruptError:
        return None
    return counts


def read_rows(connection: Connection, wanted: TaskFilter, ids: Sequence[int]) -> Sequence[TaskRow]:
    """Return those of the tasks whose rows fit."""
    conditions, values = build_conditions(wanted)
    segments = {(one.route, one.code): one for one in find_segments(connection, wanted)}
    where = " AND ".join(["id IN (SELECT value FROM json_each(:ids))", *conditions])
    sql = f"SELECT route, state, {ROW} FROM rows WHERE {where}"
    rows = connection.execute(sql, {**values, "ids": orjson.dumps(list(ids)).decode()}).fetchall()
    return [
        parse_row(segment, tuple(rest))
        for route, code, *rest in rows
        if (segment := segments.get((route, code))) is not None
    ]


def _source(wanted: TaskFilter, conditions: Sequence[str]) -> str:
    """Return the rows of a segment that fit, by the index that leaves out most."""
    bounded = [column for column, *_ in wanted.ranges]
    column = "key" if wanted.key else bounded[0] if bounded else "reason" if wanted.reason else "id"
    where = " AND ".join(["route = :route", "state = :state", *conditions])
    return f"rows INDEXED BY by_{column} WHERE {where}"


def _bind(values: dict[str, Any], segment: Segment, **more: int) -> dict[str, Any]:
    return {**values, "route": segment.route, "state": segment.code, **more}
