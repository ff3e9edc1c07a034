"""Tasks and calls as rows, and the counts of tasks by state."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import orjson

from connector.documents import dump
from connector.engine.postgresql.connection import Connection
from connector.engine.tasks import CallRecord, Task, TaskState
from connector.model import JSON

__all__ = [
    "CALL",
    "TASK",
    "StateCounts",
    "dump_json",
    "fold_counts",
    "load_json",
    "parse_call",
    "parse_task",
    "to_columns",
]

TASK = (
    "id, route, document, state, key, version, ord, attempts, due, created, updated, reason, trace, source, carrier, "
    "retried, cut_off"
)
CALL = "task, attempt, number, fingerprint, target, operation, effect, lookup, request, started, ended, state, outcome"


def dump_json(value: JSON) -> bytes:
    """Encode JSON as bytes, since its text may hold a NUL and PostgreSQL's text may not."""
    return dump(value)


def load_json(data: bytes | None) -> JSON:
    return None if data is None else orjson.loads(data)


def parse_task(row: Mapping[str, Any], calls: Sequence[CallRecord] = ()) -> Task:
    """Return the task of a row of TASK."""
    return Task(
        id=row["id"], route=row["route"], document=load_json(row["document"]), state=TaskState(row["state"]),
        key=row["key"], version=row["version"], order=row["ord"], attempts=row["attempts"], due=row["due"],
        created=row["created"], updated=row["updated"], reason=row["reason"], trace=row["trace"], source=row["source"],
        carrier=row["carrier"], retried=row["retried"], cut_off=row["cut_off"], calls=calls,
    )  # fmt: skip


def parse_call(row: Mapping[str, Any]) -> CallRecord:
    """Return the call of a row of CALL."""
    known = dict(row)
    return CallRecord(**{**known, "request": load_json(known["request"]), "outcome": load_json(known["outcome"])})


def to_columns(rows: Sequence[Sequence[Any]], width: int) -> list[list[Any]]:
    """Return rows as the columns that `unnest` takes; without rows, that many empty ones."""
    return [list(column) for column in zip(*rows, strict=True)] if rows else [[] for _ in range(width)]


COUNT = """
INSERT INTO counts AS known (route, state, worker, number)
SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::bigint[])
ON CONFLICT (route, state, worker) DO UPDATE SET number = known.number + excluded.number
"""
FOLD = """
WITH gone AS (DELETE FROM counts WHERE worker = $1 RETURNING route, state, number)
INSERT INTO counts AS known (route, state, worker, number)
SELECT route, state, '', sum(number) FROM gone GROUP BY route, state ORDER BY route, state
ON CONFLICT (route, state, worker) DO UPDATE SET number = known.number + excluded.number
"""


class StateCounts:
    """The changes of counts in one transaction; each worker has rows of its own, so that none waits for another."""

    def __init__(self, worker: str) -> None:
        self._worker = worker
        self._changes: Counter[tuple[str, str]] = Counter()

    def add(self, route: str, state: str, number: int) -> None:
        self._changes[route, str(state)] += number

    def move(self, route: str, before: str, after: str) -> None:
        """Count the move of one task from one state to another."""
        self.add(route, before, -1)
        self.add(route, after, 1)

    async def write(self, connection: Connection) -> None:
        rows = [(*place, self._worker, number) for place, number in sorted(self._changes.items()) if number]
        if rows:
            await connection.execute(COUNT, *to_columns(rows, 4))


async def fold_counts(connection: Connection, worker: str) -> None:
    """Add the counts of a worker that ends to those of the workers before it."""
    await connection.execute(FOLD, worker)
