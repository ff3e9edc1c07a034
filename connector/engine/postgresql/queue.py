"""Leases: taken with their jobs, renewed by heartbeats, given back; and the turns of order keys."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from connector.engine.postgresql.connection import Connection
from connector.engine.postgresql.jobs import Jobs
from connector.engine.postgresql.rows import CALL, TASK, StateCounts, parse_call, parse_task, to_columns
from connector.engine.tasks import CallRecord, Task, TaskState

__all__ = [
    "SET_JOBS",
    "Order",
    "find_busy_keys",
    "give_back",
    "lease",
    "lease_task",
    "lock_order_keys",
    "promote_next",
    "renew_leases",
]

Order = tuple[str, str]
LOCK = """
SELECT pg_advisory_xact_lock(place) FROM (
    SELECT DISTINCT hashtextextended(route || chr(1) || ord, 0) AS place
    FROM unnest($1::text[], $2::text[]) AS given (route, ord) ORDER BY place
) AS places
"""
HEADS = """
SELECT given.route, given.ord FROM unnest($1::text[], $2::text[]) AS given (route, ord)
WHERE EXISTS (
    SELECT FROM tasks WHERE tasks.route = given.route AND tasks.ord = given.ord AND tasks.ord <> ''
    AND (tasks.job <> 0 OR tasks.carrier <> 0)
    AND tasks.state IN ('new', 'processing', 'waiting')
)
"""
FREE = """
SELECT given.route, given.ord, holder.id AS holder, holder.job FROM unnest($1::text[], $2::text[]) AS given (route, ord)
LEFT JOIN tasks AS holder ON holder.route = given.route AND holder.ord = given.ord AND holder.ord <> ''
    AND holder.state IN ('new', 'processing', 'waiting') AND (holder.job <> 0 OR holder.carrier <> 0)
WHERE holder.id IS NULL OR holder.state <> 'processing' AND holder.carrier = 0
"""
NEXT = """
SELECT head.id, head.route, head.due, head.job FROM unnest($1::text[], $2::text[]) AS given (route, ord),
LATERAL (
    SELECT id, route, due, job FROM tasks
    WHERE tasks.route = given.route AND tasks.ord = given.ord AND tasks.ord <> ''
    AND tasks.state IN ('new', 'processing', 'waiting') ORDER BY id LIMIT 1
) AS head
"""
SET_JOBS = """
UPDATE tasks SET job = given.job FROM unnest($1::bigint[], $2::bigint[]) AS given (id, job) WHERE tasks.id = given.id
"""


async def lock_order_keys(connection: Connection, orders: Collection[Order]) -> None:
    """Lock order keys until the transaction ends."""
    if orders:
        await connection.execute(LOCK, *to_columns(sorted(orders), 2))


async def find_busy_keys(connection: Connection, orders: Collection[Order]) -> set[Order]:
    """Return the order keys of which a task has a job or waits in a carrier."""
    if not orders:
        return set()
    rows = await connection.fetch(HEADS, *to_columns(sorted(orders), 2))
    return {(row["route"], row["ord"]) for row in rows}


async def promote_next(connection: Connection, orders: Collection[Order], now: float, jobs: Jobs) -> None:
    """Give the job of each order key to its oldest live task, unless another of its tasks is leased."""
    if not orders:
        return
    free = await connection.fetch(FREE, *to_columns(sorted(orders), 2))
    if not free:
        return
    rows = await connection.fetch(NEXT, *to_columns(sorted((row["route"], row["ord"]) for row in free), 2))
    oldest = {row["id"] for row in rows}
    younger = {row["holder"]: row["job"] for row in free if row["job"] and row["holder"] not in oldest}
    await jobs.delete(connection, list(younger.values()))
    waiting = [row for row in rows if not row["job"]]
    made = await jobs.add(
        connection,
        [row["route"] for row in waiting],
        [row["id"] for row in waiting],
        [row["due"] - now for row in waiting],
    )
    await connection.execute(SET_JOBS, [*younger, *(row["id"] for row in waiting)], [*(0 for _ in younger), *made])


SENT = """
EXISTS (SELECT FROM (SELECT attempt, calls.state AS came FROM calls WHERE calls.task = tasks.id ORDER BY calls.id
                     OFFSET tasks.retried) AS known WHERE known.attempt = tasks.attempts AND known.came <> 'not_sent')
"""
"""Whether something may have been sent in the task's current attempt; an attempt cut off before does not count."""
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
    """Lease tasks by taking their jobs; return them with the calls of earlier attempts."""
    taken = await jobs.take(connection, route, most, limit)
    return await _take(connection, taken, jobs, worker, now) if taken else []


async def lease_task(connection: Connection, task: int, jobs: Jobs, worker: str, now: float) -> list[Task]:
    """Lease one task by taking its job."""
    rows = await connection.fetch("SELECT job FROM tasks WHERE id = $1 AND job <> 0 AND carrier = 0", task)
    if not rows or not await jobs.take_one(connection, rows[0]["job"]):
        return []
    return await _take(connection, {task: rows[0]["job"]}, jobs, worker, now)


async def _take(connection: Connection, taken: Mapping[int, int], jobs: Jobs, worker: str, now: float) -> list[Task]:
    rows = await connection.fetch(LEASE, list(taken), worker, now)
    counts = StateCounts(worker)
    for row in rows:
        counts.move(row["route"], row["was"], TaskState.PROCESSING)
    await counts.write(connection)
    stale = taken.keys() - {row["id"] for row in rows}
    await jobs.delete(connection, [taken[task] for task in stale])
    calls = await read_calls(
        connection, [row["id"] for row in rows if row["attempts"] > 1 or row["was"] != "new" or row["retried"]]
    )
    return [parse_task(row, calls.get(row["id"], [])) for row in sorted(rows, key=lambda row: int(row["id"]))]


async def read_calls(connection: Connection, tasks: Sequence[int]) -> Mapping[int, Sequence[CallRecord]]:
    """Return the calls by task, the oldest first."""
    found: dict[int, list[CallRecord]] = {}
    if not tasks:
        return found
    rows: Sequence[Any] = await connection.fetch(
        f"SELECT {CALL} FROM calls WHERE task = ANY($1::bigint[]) ORDER BY id",  # noqa: S608
        list(tasks),
    )
    for row in rows:
        found.setdefault(row["task"], []).append(parse_call(row))
    return found


async def renew_leases(connection: Connection, tasks: Sequence[int], jobs: Jobs, worker: str) -> list[int]:
    """Renew the leases of tasks; return the tasks that another worker has now."""
    rows = await connection.fetch(HOLD, list(tasks), worker)
    mine = {row["id"]: row["job"] for row in rows}
    await jobs.keep_alive(connection, list(mine.values()))
    return [task for task in tasks if task not in mine]


async def give_back(connection: Connection, jobs: Jobs, worker: str, now: float) -> None:
    """Return all leased tasks of this worker to the queue."""
    rows = await connection.fetch(GIVE_BACK, worker, now)
    counts = StateCounts(worker)
    for row in rows:
        counts.move(row["route"], TaskState.PROCESSING, TaskState.NEW)
    await counts.write(connection)
    await jobs.give_back(connection, [row["job"] for row in rows], [0.0] * len(rows))
