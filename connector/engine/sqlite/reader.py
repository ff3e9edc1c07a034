"""Queries over a connection of their own, so that no list delays a commit."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import apsw
import orjson

from connector.engine.change import Expense, Line
from connector.engine.sqlite.driver import Connection, Row, translate_error
from connector.engine.sqlite.journal import MINUTE
from connector.engine.sqlite.reservations import RESERVED, SPENT
from connector.engine.sqlite.rows import (
    CALLS,
    CARRIED,
    CODES,
    DUE,
    HELD,
    LEASED,
    LIVE_CODES,
    READY,
    STATES,
    TASKS,
    call_id_range,
    parse_call,
    parse_task,
)
from connector.engine.store import Filter, PendingLines, StoreBroken
from connector.engine.tasks import DELETED, Task, TaskState
from connector.model import JSON

__all__ = ["Reader", "TaskSelection", "build_selection"]

Result = TypeVar("Result")
IN_CARRIER = f"{TASKS} WHERE t.queue = {CARRIED} AND t.carrier = ? AND t.id > ? ORDER BY t.id LIMIT ?"
OLDEST = (
    "SELECT min(d.created) FROM json_each('[1, 2, 3, 4, 5]') q JOIN documents d ON d.id ="
    " (SELECT min(id) FROM tasks WHERE route = ? AND queue > 0 AND queue = q.value)"
)
NEXT_DUE = "SELECT min(due) FROM tasks WHERE route = ? AND queue = 2"
COUNTS = "SELECT r.name, c.state, c.tasks FROM counts c JOIN routes r ON r.id = c.route WHERE c.tasks > 0"
LINES = (
    "SELECT l.number, l.data FROM lines l JOIN places p ON p.id = l.place WHERE p.name = ? ORDER BY l.number LIMIT ?"
)
PLACES = "SELECT name FROM places p WHERE EXISTS (SELECT 1 FROM lines WHERE place = p.id) ORDER BY name"
VANISHED = (
    f"SELECT key FROM keys WHERE route = ? AND key > ? AND reading BETWEEN 1 AND ? AND version <> '{DELETED}'"
    " ORDER BY key LIMIT ?"
)


class Reader:
    """Runs queries in a thread of its own."""

    def __init__(self, connection: Connection, path: Path) -> None:
        self._connection = connection
        self._path = path
        self._closed = False
        self._thread = ThreadPoolExecutor(1, "sqlite-reading")

    async def close(self) -> None:
        """End the thread and close the connection."""
        self._closed = True
        await asyncio.to_thread(self._thread.shutdown)
        self._connection.close()

    async def run(self, question: Callable[..., Result], *values: Any) -> Result:
        """Run a method of this reader in its thread."""
        if self._closed:
            raise StoreBroken(f"{self._path}: closed")
        try:
            return await asyncio.get_running_loop().run_in_executor(self._thread, question, *values)
        except apsw.Error as error:
            raise translate_error(error, self._path) from None

    def fetch_all(self, sql: str, values: Sequence[Any] | Mapping[str, Any] = ()) -> list[Row]:
        return self._connection.execute(sql, values).fetchall()

    def fetch_value(self, sql: str, values: Sequence[Any] = ()) -> Any:
        """Return the first column of the first row; None when there is none."""
        rows = self.fetch_all(sql, values)
        return rows[0][0] if rows else None

    def fetch_json(self, sql: str, values: Sequence[Any]) -> JSON:
        """Return the JSON in the first column of the first row; None when there is none."""
        data = self.fetch_value(sql, values)
        return None if data is None else orjson.loads(data)

    def fetch_json_by_name(self, sql: str, values: Sequence[Any] = ()) -> Mapping[str, JSON]:
        """Return JSON values by name."""
        return {name: orjson.loads(data) for name, data in self.fetch_all(sql, values)}

    def route_ids(self, name: str = "") -> Sequence[int]:
        """Return the ids of the routes of this name, or of all."""
        return [row[0] for row in self.fetch_all("SELECT id FROM routes WHERE ?1 IN ('', name)", (name,))]

    def route_id(self, name: str) -> int:
        """Return the id of a route; 0, which none has, when it is unknown."""
        return int(self.fetch_value("SELECT id FROM routes WHERE name = ?", (name,)) or 0)

    def task_ids(self, wanted: Filter, after: int, limit: int, also: str = "") -> Sequence[int]:
        """Return the ids of the tasks that a filter selects."""
        if not (routes := self.route_ids(wanted.route)):
            return []
        selection = build_selection(wanted, routes, also=also)
        values = {**selection.values, "after": after, "limit": limit}
        return sorted(row[0] for sql in selection.queries for row in self.fetch_all(sql, values))[:limit]

    def tasks(self, wanted: Filter, after: int, limit: int) -> Sequence[Task]:
        ids = orjson.dumps(self.task_ids(wanted, after, limit)).decode()
        rows = self.fetch_all(f"{TASKS} WHERE t.id IN (SELECT value FROM json_each(?)) ORDER BY t.id", (ids,))
        return [parse_task(row) for row in rows]

    def task(self, task: int) -> Task | None:
        rows = self.fetch_all(f"{TASKS} WHERE t.id = ?", (task,))
        calls = [parse_call(row) for row in self.fetch_all(CALLS, call_id_range(task))]
        return parse_task(rows[0], calls) if rows else None

    def carried_tasks(self, carrier: int, after: int, limit: int) -> Sequence[Task]:
        return [parse_task(row) for row in self.fetch_all(IN_CARRIER, (carrier, after, limit))]

    def counts(self, route: str) -> Mapping[str, Mapping[TaskState, int]]:
        counts: dict[str, dict[TaskState, int]] = {}
        for name, state, tasks in self.fetch_all(COUNTS):
            if route in ("", name):
                counts.setdefault(name, {})[STATES[state]] = tasks
        return counts

    def oldest(self, route: str) -> float | None:
        created: float | None = self.fetch_value(OLDEST, (self.route_id(route),))
        return created

    def next_due(self, route: str) -> float | None:
        due: float | None = self.fetch_value(NEXT_DUE, (self.route_id(route),))
        return due

    def spending(self, name: str, since: float) -> Expense:
        tokens, cost = self.fetch_all(SPENT, (name, int(since // MINUTE)))[0]
        return Expense(name=name, at=since, tokens=int(tokens), cost=cost)

    def reserved(self, name: str, since: float) -> Expense:
        tokens, cost = self.fetch_all(RESERVED, (name, int(since // MINUTE)))[0]
        return Expense(name=name, at=since, tokens=int(tokens), cost=cost)

    def pending_lines(self, name: str, most: int) -> PendingLines:
        length = self.fetch_value("SELECT length FROM places WHERE name = ?", (name,))
        lines = [(number, Line(place=name, data=data)) for number, data in self.fetch_all(LINES, (name, most))]
        return PendingLines(name, length or 0, lines)

    def pending_files(self) -> Sequence[str]:
        return [row[0] for row in self.fetch_all(PLACES)]

    def vanished_keys(self, route: str, after: str, reading: int, most: int) -> Sequence[str]:
        return [row[0] for row in self.fetch_all(VANISHED, (self.route_id(route), after, reading - 1, most))]


ODD = {CODES[state] for state in (TaskState.FAILED, TaskState.SKIPPED, TaskState.UNKNOWN)}
QUEUES = (READY, DUE, HELD, CARRIED, LEASED)


@dataclass(slots=True)
class TaskSelection:
    """Queries for task ids beyond `:after`, ascending, at most `:limit` each; no id is in two."""

    queries: Sequence[str]
    values: dict[str, Any] = field(default_factory=dict[str, Any])


def build_selection(wanted: Filter, routes: Sequence[int], *, also: str = "") -> TaskSelection:
    """Translate a filter into queries that read as few tasks as possible.

    Args:
        wanted: the filter.
        routes: the numbers of the routes that it can mean.
        also: a further condition on the task `t`.
    """
    values: dict[str, Any] = {"routes": _dump_ids(routes)}
    conditions = ["t.id > :after", "t.route IN (SELECT value FROM json_each(:routes))", *([also] if also else [])]
    if wanted.ids:
        values["ids"] = _dump_ids(wanted.ids)
        conditions.append("t.id IN (SELECT value FROM json_each(:ids))")
    if wanted.key:
        values["key"] = wanted.key
        conditions.append("t.id IN (SELECT id FROM documents WHERE key <> '' AND key = :key)")
    if wanted.reason:
        values["reason"] = wanted.reason
        conditions.append("instr(t.reason, :reason) > 0")
    if wanted.updated_before is not None:
        values["before"] = wanted.updated_before
        conditions.append("t.updated < :before")
    if wanted.updated_after is not None:
        values["later"] = wanted.updated_after
        conditions.append("t.updated >= :later")
    codes = {CODES[state] for state in wanted.states}
    narrow = bool(wanted.ids or wanted.key)
    sources = _choose_sources(codes, routes, narrow=narrow)
    return TaskSelection([_build_query(source, [*conditions, where]) for source, where in sources], values)


def _build_query(source: str, conditions: Sequence[str]) -> str:
    where = " AND ".join(condition for condition in conditions if condition)
    return f"SELECT t.id FROM tasks t {source} WHERE {where} ORDER BY t.id LIMIT :limit"


def _choose_sources(codes: set[int], routes: Sequence[int], *, narrow: bool) -> Sequence[tuple[str, str]]:
    """Return table sources with their conditions; each is read in the order of ids."""
    among = f"t.state IN ({', '.join(map(str, sorted(codes)))})" if codes else ""
    if narrow or not codes or CODES[TaskState.FINISHED] in codes:
        return [("", among)]
    odd = [("INDEXED BY odd", f"t.state > 3 AND t.state = {code}") for code in sorted(ODD.intersection(codes))]
    if not codes.intersection(LIVE_CODES):
        return odd
    live = [
        ("INDEXED BY live", f"t.route = {route} AND t.queue > 0 AND t.queue = {queue} AND {among}")
        for route in routes
        for queue in QUEUES
    ]
    return [*odd, *live]


def _dump_ids(numbers: Sequence[int]) -> str:
    return orjson.dumps(list(numbers)).decode()
