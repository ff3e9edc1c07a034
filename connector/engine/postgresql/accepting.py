"""Documents become tasks with a job each, unless they were seen before."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from connector.engine.postgresql.connection import Connection
from connector.engine.postgresql.ordering import heads, lock
from connector.engine.postgresql.rows import columns, packed
from connector.engine.tasks import NewTask, TaskState

if TYPE_CHECKING:
    from connector.engine.postgresql.counting import Counting
    from connector.engine.postgresql.jobs import Jobs

__all__ = ["accept"]

INSERT = """
INSERT INTO tasks (id, route, state, document, key, version, ord, due, created, updated, trace, source, job, carries)
SELECT id, route, state, document, key, version, ord, due, $12, $12, trace, source, job, $13
FROM unnest($1::bigint[], $2::text[], $3::text[], $4::bytea[], $5::text[], $6::text[], $7::text[], $8::float8[],
            $9::text[], $10::bigint[], $11::bigint[])
     AS given (id, route, state, document, key, version, ord, due, trace, source, job)
"""
SEEN = """
INSERT INTO seen AS known (route, key, version, reading)
SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::bigint[])
ON CONFLICT (route, key) DO UPDATE
SET version = excluded.version, reading = greatest(known.reading, excluded.reading)
"""
RESERVE = """
INSERT INTO seen (route, key, version, reading)
SELECT r, k, '', 0 FROM unnest($1::text[], $2::text[]) AS given (r, k) ORDER BY r, k
ON CONFLICT (route, key) DO NOTHING RETURNING route, key
"""
KNOWN = """
SELECT route, key, version FROM seen JOIN unnest($1::text[], $2::text[]) AS given (r, k) ON route = r AND key = k
ORDER BY route, key FOR UPDATE OF seen
"""


async def accept(
    connection: Connection, new: Sequence[NewTask], now: float, jobs: Jobs, counting: Counting, *, carries: bool = False
) -> list[int]:
    """The ids of the tasks in the documents' order; 0 for a duplicate, which one that carries others never is."""
    if not new:
        return []
    fresh = list(range(len(new))) if carries else await _unseen(connection, new)
    ids = await connection.fetch("SELECT nextval('task_ids') AS id FROM generate_series(1, $1)", len(fresh))
    numbered = dict(zip(fresh, sorted(row["id"] for row in ids), strict=True))
    orders = {(new[at].route, new[at].order) for at in fresh if new[at].order}
    await lock(connection, orders)
    behind = await heads(connection, orders)
    ready = [at for at in fresh if _goes_first(new[at], behind)]
    made = await jobs.add(
        connection, [new[at].route for at in ready], [numbered[at] for at in ready], [new[at].due - now for at in ready]
    )
    job_of = dict(zip(ready, made, strict=True))
    rows = [_row(new[at], numbered[at], job_of.get(at, 0)) for at in fresh]
    await connection.execute(INSERT, *columns(rows, 11), now, carries)
    for at in fresh:
        counting.add(new[at].route, _state(new[at]), 1)
    return [numbered.get(at, 0) for at in range(len(new))]


def _goes_first(task: NewTask, behind: set[tuple[str, str]]) -> bool:
    """Whether a task need not wait for one of its order key; from then on the others of the key must."""
    place = (task.route, task.order)
    if task.order and place in behind:
        return False
    if task.order:
        behind.add(place)
    return True


def _state(task: NewTask) -> TaskState:
    return TaskState.WAITING if task.due else TaskState.NEW


def _row(task: NewTask, number: int, job: int) -> tuple[object, ...]:
    return (
        number, task.route, _state(task).value, packed(task.document), task.key, task.version, task.order, task.due,
        task.trace, task.source, job,
    )  # fmt: skip


async def _unseen(connection: Connection, new: Sequence[NewTask]) -> list[int]:
    """The positions of documents that are not what their key was seen with last; what is seen now is noted."""
    keyed = [task for task in new if task.identity]
    if not keyed:
        return list(range(len(new)))
    places = sorted({(task.route, task.key) for task in keyed})
    # A row of one's own first: two workers that see a new key at a time wait for each other here.
    new_rows = await connection.fetch(RESERVE, *columns(places, 2))
    unknown = {(row["route"], row["key"]) for row in new_rows}
    rows = await connection.fetch(KNOWN, *columns(places, 2))
    known: dict[tuple[str, str], str] = {
        place: row["version"] for row in rows if (place := (row["route"], row["key"])) not in unknown
    }
    fresh: list[int] = []
    reading: dict[tuple[str, str], int] = {}
    for at, task in enumerate(new):
        place = (task.route, task.key)
        if task.identity and task.repeats(known.get(place)):
            reading[place] = max(reading.get(place, 0), task.reading)
            continue
        fresh.append(at)
        if task.identity:
            known[place] = task.version
            reading[place] = max(reading.get(place, 0), task.reading)
    rows_seen = [(*place, known[place], reading[place]) for place in sorted(reading)]
    await connection.execute(SEEN, *columns(rows_seen, 4))
    return fresh
