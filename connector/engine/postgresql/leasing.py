"""Which tasks this worker has: taken with their jobs, kept by heartbeats, given back at the end."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from connector.engine.postgresql.connection import Connection
from connector.engine.postgresql.counting import Counting
from connector.engine.postgresql.rows import CALL, TASK, call_of, task_of
from connector.engine.tasks import CallRecord, Task, TaskState

if TYPE_CHECKING:
    from connector.engine.postgresql.jobs import Jobs

__all__ = ["give_back", "hold", "lease"]

SENT = """
EXISTS (SELECT FROM (SELECT attempt, calls.state AS came FROM calls WHERE calls.task = tasks.id ORDER BY calls.id
                     OFFSET tasks.retried) AS known WHERE known.attempt = tasks.attempts AND known.came <> 'not_sent')
"""
"""Whether something may have been sent in the attempt that a task is in; one that was cut off before does not count."""
LEASE = f"""
WITH before AS (
    SELECT id AS taken, state AS was, state = 'processing' AND NOT {SENT} AS vain FROM tasks
    WHERE id = ANY($1::bigint[]) AND state IN ('new', 'processing', 'waiting') AND carrier = 0
    ORDER BY id FOR NO KEY UPDATE
)
UPDATE tasks SET state = 'processing', worker = $2, updated = $3,
    attempts = attempts + CASE WHEN vain THEN 0 ELSE 1 END, cut_off = CASE WHEN vain THEN cut_off + 1 ELSE 0 END
FROM before WHERE id = taken RETURNING {TASK}, was
"""  # noqa: S608  column names of ours
HOLD = "SELECT id, job FROM tasks WHERE id = ANY($1::bigint[]) AND worker = $2 AND state = 'processing'"
GIVE_BACK = f"""
UPDATE tasks SET state = 'new', worker = NULL, updated = $2, attempts = attempts - CASE WHEN {SENT} THEN 0 ELSE 1 END
WHERE worker = $1 AND state = 'processing'
RETURNING route, job
"""  # noqa: S608  a condition of ours


async def lease(
    connection: Connection, route: str, most: int, limit: int, jobs: Jobs, worker: str, now: float
) -> list[Task]:
    """Tasks whose jobs this worker takes, with the calls of earlier attempts."""
    taken = await jobs.take(connection, route, most, limit)
    if not taken:
        return []
    rows = await connection.fetch(LEASE, list(taken), worker, now)
    counting = Counting(worker)
    for row in rows:
        counting.move(row["route"], row["was"], TaskState.PROCESSING)
    await counting.write(connection)
    stale = taken.keys() - {row["id"] for row in rows}
    await jobs.forget(connection, [taken[task] for task in stale])
    calls = await calls_of(
        connection, [row["id"] for row in rows if row["attempts"] > 1 or row["was"] != "new" or row["retried"]]
    )
    return [task_of(row, calls.get(row["id"], [])) for row in sorted(rows, key=lambda row: int(row["id"]))]


async def calls_of(connection: Connection, tasks: Sequence[int]) -> Mapping[int, Sequence[CallRecord]]:
    """All calls of tasks, the oldest first."""
    found: dict[int, list[CallRecord]] = {}
    if not tasks:
        return found
    rows: Sequence[Any] = await connection.fetch(
        f"SELECT {CALL} FROM calls WHERE task = ANY($1::bigint[]) ORDER BY id",  # noqa: S608
        list(tasks),
    )
    for row in rows:
        found.setdefault(row["task"], []).append(call_of(row))
    return found


async def hold(connection: Connection, tasks: Sequence[int], jobs: Jobs, worker: str) -> list[int]:
    """The tasks that are not this worker's any more; the others stay its own."""
    rows = await connection.fetch(HOLD, list(tasks), worker)
    mine = {row["id"]: row["job"] for row in rows}
    await jobs.keep_alive(connection, list(mine.values()))
    return [task for task in tasks if task not in mine]


async def give_back(connection: Connection, jobs: Jobs, worker: str, now: float) -> None:
    """Lets others go on with what this worker has and has not settled."""
    rows = await connection.fetch(GIVE_BACK, worker, now)
    counting = Counting(worker)
    for row in rows:
        counting.move(row["route"], TaskState.PROCESSING, TaskState.NEW)
    await counting.write(connection)
    await jobs.give_back(connection, [row["job"] for row in rows], [0.0] * len(rows))
