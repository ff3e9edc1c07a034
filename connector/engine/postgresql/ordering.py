"""Tasks of one order key: the oldest live one has a job, the others wait until it has come to its end."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING

from connector.engine.postgresql.connection import Connection
from connector.engine.postgresql.rows import columns

if TYPE_CHECKING:
    from connector.engine.postgresql.jobs import Jobs

__all__ = ["JOBS", "Order", "heads", "lock", "next_in_line"]

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
JOBS = """
UPDATE tasks SET job = given.job FROM unnest($1::bigint[], $2::bigint[]) AS given (id, job) WHERE tasks.id = given.id
"""


async def lock(connection: Connection, orders: Collection[Order]) -> None:
    """Keeps everybody else from these order keys until the transaction ends."""
    if orders:
        await connection.execute(LOCK, *columns(sorted(orders), 2))


async def heads(connection: Connection, orders: Collection[Order]) -> set[Order]:
    """The order keys of which a task has a job, or goes in another one."""
    if not orders:
        return set()
    rows = await connection.fetch(HEADS, *columns(sorted(orders), 2))
    return {(row["route"], row["ord"]) for row in rows}


async def next_in_line(connection: Connection, orders: Collection[Order], now: float, jobs: Jobs) -> None:
    """Gives the oldest live task of each order key the job, unless another one of the key is under way."""
    if not orders:
        return
    free = await connection.fetch(FREE, *columns(sorted(orders), 2))
    if not free:
        return
    rows = await connection.fetch(NEXT, *columns(sorted((row["route"], row["ord"]) for row in free), 2))
    heads = {row["id"] for row in rows}
    younger = {row["holder"]: row["job"] for row in free if row["job"] and row["holder"] not in heads}
    await jobs.forget(connection, list(younger.values()))
    waiting = [row for row in rows if not row["job"]]
    made = await jobs.add(
        connection,
        [row["route"] for row in waiting],
        [row["id"] for row in waiting],
        [row["due"] - now for row in waiting],
    )
    await connection.execute(JOBS, [*younger, *(row["id"] for row in waiting)], [*(0 for _ in younger), *made])
