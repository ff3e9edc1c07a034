"""What a change writes beside the tasks: calls, cursors, records, lines of files, expenses."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from connector.engine.change import Change
from connector.engine.postgresql.connection import Connection
from connector.engine.postgresql.rows import dump_json, to_columns
from connector.engine.store import StoreError

__all__ = ["write_calls", "write_values"]

INTEND = """
INSERT INTO calls (task, attempt, number, fingerprint, target, operation, effect, lookup, request, started)
SELECT * FROM unnest($1::bigint[], $2::integer[], $3::integer[], $4::text[], $5::text[], $6::text[], $7::text[],
                     $8::text[], $9::bytea[], $10::float8[])
"""
END = """
UPDATE calls SET ended = given.ended, state = given.state, outcome = given.outcome
FROM unnest($1::bigint[], $2::integer[], $3::integer[], $4::float8[], $5::text[], $6::bytea[])
     AS given (task, attempt, number, ended, state, outcome),
LATERAL (
    SELECT id FROM calls AS known
    WHERE known.task = given.task AND known.attempt = given.attempt AND known.number = given.number
    ORDER BY id DESC LIMIT 1
) AS newest
WHERE calls.id = newest.id RETURNING calls.task, calls.attempt, calls.number
"""
CURSORS = """
INSERT INTO cursors SELECT * FROM unnest($1::text[], $2::bytea[])
ON CONFLICT (name) DO UPDATE SET value = excluded.value
"""
RECORDS = """
INSERT INTO records SELECT * FROM unnest($1::text[], $2::text[], $3::bytea[])
ON CONFLICT (space, key) DO UPDATE SET value = excluded.value
"""
FORGET_RECORDS = """
DELETE FROM records USING unnest($1::text[], $2::text[]) AS given (s, k) WHERE space = given.s AND key = given.k
"""
LINES = "INSERT INTO lines (place, data) SELECT * FROM unnest($1::text[], $2::bytea[])"
WRITTEN = """
WITH gone AS (
    DELETE FROM lines USING unnest($1::text[], $2::bigint[]) AS given (p, last)
    WHERE place = given.p AND number <= given.last
)
INSERT INTO places SELECT * FROM unnest($1::text[], $3::bigint[])
ON CONFLICT (name) DO UPDATE SET length = excluded.length
"""
SPENT = """
INSERT INTO spent AS known SELECT * FROM unnest($1::text[], $2::bigint[], $3::bigint[], $4::float8[])
ON CONFLICT (name, minute) DO UPDATE SET tokens = known.tokens + excluded.tokens, cost = known.cost + excluded.cost
"""


async def write_calls(connection: Connection, changes: Sequence[Change]) -> None:
    """Write calls that are about to be sent, and the ends of calls."""
    intended = [
        (one.task, one.attempt, one.number, one.fingerprint, one.target, one.operation, one.effect, one.lookup,
         one.encoded or dump_json(one.request), one.started)
        for change in changes for one in change.intend
    ]  # fmt: skip
    if intended:
        await connection.execute(INTEND, *to_columns(intended, 10))
    ended = [
        (one.task, one.attempt, one.number, one.ended, one.state, one.encoded or dump_json(one.outcome))
        for change in changes
        for one in change.end
    ]
    if ended:
        rows = await connection.fetch(END, *to_columns(ended, 6))
        known = {(row["task"], row["attempt"], row["number"]) for row in rows}
        for task, attempt, number, *_ in ended:
            if (task, attempt, number) not in known:
                raise StoreError(f"task {task} has no call {number} in attempt {attempt}, so none can end")


async def write_values(connection: Connection, changes: Sequence[Change]) -> None:
    """Write cursors, records, lines and expenses; of one name the last value counts."""
    cursors = _merge(change.cursors for change in changes)
    await _upsert(
        connection, CURSORS, [(name, dump_json(value)) for name, value in cursors.items() if value is not None]
    )
    gone = [name for name, value in cursors.items() if value is None]
    if gone:
        await connection.execute("DELETE FROM cursors WHERE name = ANY($1::text[])", gone)
    records = _merge(change.records for change in changes)
    kept = [(*place, dump_json(value)) for place, value in records.items() if value is not None]
    await _upsert(connection, RECORDS, kept)
    forgotten = [place for place, value in records.items() if value is None]
    if forgotten:
        await connection.execute(FORGET_RECORDS, *to_columns(forgotten, 2))
    lines = [(line.place, line.data) for change in changes for line in change.lines]
    if lines:
        await connection.execute(LINES, *to_columns(lines, 2))
    written = _merge(change.written for change in changes)
    await _upsert(connection, WRITTEN, [(name, last, length) for name, (last, length) in written.items()])
    await _upsert(connection, SPENT, _sum_by_minute(changes))


def _merge(values: Any) -> dict[Any, Any]:
    return {name: value for each in values for name, value in each.items()}


def _sum_by_minute(changes: Sequence[Change]) -> list[tuple[str, int, int, float]]:
    sums: Mapping[tuple[str, int], list[float]] = defaultdict(lambda: [0, 0.0])
    for change in changes:
        for one in change.spent:
            place = sums[one.name, int(one.at // 60)]
            place[0] += one.tokens
            place[1] += one.cost
    return [(name, minute, int(tokens), cost) for (name, minute), (tokens, cost) in sums.items()]


async def _upsert(connection: Connection, statement: str, rows: Sequence[tuple[Any, ...]]) -> None:
    """Upsert rows in the order of their keys, so that two workers never deadlock."""
    if rows:
        await connection.execute(statement, *to_columns(sorted(rows), len(rows[0])))
