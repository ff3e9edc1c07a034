"""Queries; nothing here writes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from connector.engine.change import Line
from connector.engine.postgresql.connection import Connection
from connector.engine.postgresql.queue import read_calls
from connector.engine.postgresql.rows import TASK, load_json, parse_task
from connector.engine.store import Filter, PendingLines
from connector.engine.tasks import Task, TaskState
from connector.model import JSON

__all__ = [
    "build_condition",
    "carried_tasks",
    "counts",
    "cursors",
    "next_due",
    "oldest",
    "pending_files",
    "pending_lines",
    "record",
    "records",
    "task",
    "tasks",
    "vanished_keys",
]  # fmt: skip

LIVE = "state IN ('new', 'processing', 'waiting')"


def build_condition(wanted: Filter) -> tuple[str, list[Any]]:
    """Return a filter as an SQL condition with its values, from $1 on."""
    parts: list[str] = ["true"]
    values: list[Any] = []

    def also(part: str, value: Any) -> None:
        values.append(value)
        parts.append(part.replace("?", f"${len(values)}"))

    if wanted.ids:
        also("id = ANY(?::bigint[])", list(wanted.ids))
    if wanted.route:
        also("route = ?", wanted.route)
    if wanted.states:
        also("state = ANY(?::text[])", [state.value for state in wanted.states])
    if wanted.key:
        also("key = ?", wanted.key)
    if wanted.reason:
        also("position(? IN reason) > 0", wanted.reason)
    if wanted.updated_before is not None:
        also("updated < ?::float8", wanted.updated_before)
    if wanted.updated_after is not None:
        also("updated >= ?::float8", wanted.updated_after)
    return " AND ".join(parts), values


async def tasks(connection: Connection, wanted: Filter, after: int, limit: int) -> list[Task]:
    where, values = build_condition(wanted)
    rows = await connection.fetch(
        f"SELECT {TASK} FROM tasks WHERE {where} AND id > ${len(values) + 1} ORDER BY id LIMIT ${len(values) + 2}",  # noqa: S608
        *values,
        after,
        limit,
    )
    return [parse_task(row) for row in rows]


async def task(connection: Connection, number: int) -> Task | None:
    row = await connection.fetchrow(f"SELECT {TASK} FROM tasks WHERE id = $1", number)  # noqa: S608
    if row is None:
        return None
    calls = await read_calls(connection, [number])
    return parse_task(row, calls.get(number, []))


async def carried_tasks(connection: Connection, carrier: int, after: int, limit: int) -> list[Task]:
    rows = await connection.fetch(
        f"SELECT {TASK} FROM tasks WHERE carrier = $1 AND state = 'waiting' AND id > $2 ORDER BY id LIMIT $3",  # noqa: S608
        carrier,
        after,
        limit,
    )
    return [parse_task(row) for row in rows]


async def counts(connection: Connection, route: str) -> Mapping[str, Mapping[TaskState, int]]:
    rows = await connection.fetch(
        "SELECT route, state, sum(number)::bigint AS number FROM counts WHERE $1 IN ('', route) GROUP BY route, state",
        route,
    )
    found: dict[str, dict[TaskState, int]] = {}
    for row in rows:
        if row["number"]:
            found.setdefault(row["route"], {})[TaskState(row["state"])] = row["number"]
    return found


async def next_due(connection: Connection, route: str) -> float | None:
    found: float | None = await connection.fetchval(
        "SELECT min(due) FROM tasks WHERE route = $1 AND state = 'waiting' AND carrier = 0", route
    )
    return found


async def oldest(connection: Connection, route: str) -> float | None:
    found: float | None = await connection.fetchval(
        f"SELECT created FROM tasks WHERE route = $1 AND {LIVE} ORDER BY id LIMIT 1",  # noqa: S608
        route,
    )
    return found


async def record(connection: Connection, space: str, key: str) -> JSON:
    return load_json(await connection.fetchval("SELECT value FROM records WHERE space = $1 AND key = $2", space, key))


async def records(connection: Connection, space: str) -> Mapping[str, JSON]:
    rows = await connection.fetch("SELECT key, value FROM records WHERE space = $1 ORDER BY key", space)
    return {row["key"]: load_json(row["value"]) for row in rows}


async def cursors(connection: Connection, name: str | None = None) -> Mapping[str, JSON]:
    rows = await connection.fetch("SELECT name, value FROM cursors WHERE $1::text IS NULL OR name = $1", name)
    return {row["name"]: load_json(row["value"]) for row in rows}


async def pending_files(connection: Connection) -> Sequence[str]:
    return [row["place"] for row in await connection.fetch("SELECT DISTINCT place FROM lines ORDER BY place")]


async def pending_lines(connection: Connection, name: str, most: int) -> PendingLines:
    length: int | None = await connection.fetchval("SELECT length FROM places WHERE name = $1", name)
    rows = await connection.fetch(
        "SELECT number, data FROM lines WHERE place = $1 ORDER BY number LIMIT $2", name, most
    )
    return PendingLines(name, length or 0, [(row["number"], Line(place=name, data=row["data"])) for row in rows])


async def vanished_keys(connection: Connection, route: str, reading: int, after: str, most: int) -> list[str]:
    """Return keys beyond `after` that readings saw before this one and not since, unless they are known as deleted."""
    rows = await connection.fetch(
        "SELECT key FROM seen WHERE route = $1 AND reading > 0 AND reading < $2 AND version <> 'deleted' AND key > $3 "
        "ORDER BY key LIMIT $4",
        route,
        reading,
        after,
        most,
    )
    return [row["key"] for row in rows]
