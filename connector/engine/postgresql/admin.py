"""What operators do to tasks: retry, skip and purge."""

from __future__ import annotations

from connector.engine.change import CallEnd, Change
from connector.engine.postgresql.connection import Connection
from connector.engine.postgresql.jobs import Jobs
from connector.engine.postgresql.journal import write_calls
from connector.engine.postgresql.queue import lock_order_keys, promote_next
from connector.engine.postgresql.reader import build_condition
from connector.engine.postgresql.reservations import drop_reservations, settle_reservations
from connector.engine.postgresql.rows import StateCounts, dump_json
from connector.engine.store import Filter
from connector.engine.tasks import TaskState
from connector.model import JSON

__all__ = ["confirm", "hurry", "purge", "retry", "skip"]

ENDED = "state IN ('finished', 'failed', 'skipped', 'unknown')"
MOST = 5_000


async def retry(connection: Connection, wanted: Filter, document: JSON, jobs: Jobs, worker: str, now: float) -> int:
    """Make the next few thousand ended tasks new again; return how many."""
    where, values = build_condition(wanted)
    rows = await connection.fetch(
        f"""SELECT id, route, ord, state FROM tasks WHERE {where} AND {ENDED} AND NOT carries
            ORDER BY id LIMIT {MOST} FOR NO KEY UPDATE""",  # noqa: S608
        *values,
    )
    ids = [row["id"] for row in rows]
    plain = [row for row in rows if not row["ord"]]
    made = await jobs.add(connection, [row["route"] for row in plain], [row["id"] for row in plain], [0.0] * len(plain))
    job_of = dict(zip((row["id"] for row in plain), made, strict=True))
    await connection.execute(
        """UPDATE tasks SET state = 'new', reason = '', due = 0, updated = $3, worker = NULL, carrier = 0, attempts = 0,
               cut_off = 0, job = given.job, document = coalesce($4, document),
               retried = (SELECT count(*) FROM calls WHERE calls.task = tasks.id)
           FROM unnest($1::bigint[], $2::bigint[]) AS given (id, job) WHERE tasks.id = given.id""",
        ids,
        [job_of.get(task, 0) for task in ids],
        now,
        None if document is None else dump_json(document),
    )
    counts = StateCounts(worker)
    for row in rows:
        counts.move(row["route"], row["state"], TaskState.NEW)
    await counts.write(connection)
    orders = {(row["route"], row["ord"]) for row in rows if row["ord"]}
    await lock_order_keys(connection, orders)
    await promote_next(connection, orders, now, jobs)
    return len(ids)


async def hurry(connection: Connection, wanted: Filter, jobs: Jobs, now: float) -> int:
    """Let the next few thousand tasks that wait for a time go on now; return how many."""
    where, values = build_condition(wanted)
    rows = await connection.fetch(
        f"""WITH waiting AS (
                SELECT id FROM tasks WHERE {where} AND state = 'waiting' AND carrier = 0 AND due > {float(now)!r}
                ORDER BY id LIMIT {MOST} FOR NO KEY UPDATE
            ) UPDATE tasks SET due = {float(now)!r} FROM waiting WHERE tasks.id = waiting.id RETURNING tasks.job""",  # noqa: S608
        *values,
    )
    await jobs.hurry(connection, [row["job"] for row in rows if row["job"]])
    return len(rows)


async def confirm(connection: Connection, end: CallEnd, jobs: Jobs, worker: str, now: float) -> bool:
    """End a call of an unknown task, and make the task new again; return whether it was unknown."""
    state = await connection.fetchval("SELECT state FROM tasks WHERE id = $1 FOR NO KEY UPDATE", end.task)
    if state != TaskState.UNKNOWN:
        return False
    change = Change(end=[end])
    await settle_reservations(connection, [change])
    await write_calls(connection, [change])
    wanted = Filter(ids=[end.task], states=[TaskState.UNKNOWN])
    return await retry(connection, wanted, None, jobs, worker, now) == 1


async def skip(connection: Connection, wanted: Filter, reason: str, jobs: Jobs, worker: str, now: float) -> int:
    """Skip the next few thousand tasks; return how many."""
    where, values = build_condition(wanted)
    rows = await connection.fetch(
        f"""SELECT id, route, ord, state, job FROM tasks
            WHERE {where} AND carrier = 0 AND state NOT IN ('skipped', 'finished')
            AND (state <> 'processing' OR {jobs.is_abandoned("job")}) ORDER BY id LIMIT {MOST} FOR NO KEY UPDATE""",  # noqa: S608
        *values,
    )
    ids = [row["id"] for row in rows]
    members = await connection.fetch(
        "SELECT id, route, ord, state, job FROM tasks WHERE carrier = ANY($1::bigint[]) AND state = 'waiting'", ids
    )
    await connection.execute(
        "UPDATE tasks SET state = 'skipped', reason = $2, updated = $3, job = 0 WHERE id = ANY($1::bigint[])",
        [*ids, *(row["id"] for row in members)],
        reason,
        now,
    )
    await jobs.delete(connection, [row["job"] for row in rows if row["job"]])
    await drop_reservations(connection, [row["id"] for row in (*rows, *members)])
    counts = StateCounts(worker)
    for row in (*rows, *members):
        counts.move(row["route"], row["state"], TaskState.SKIPPED)
    await counts.write(connection)
    orders = {(row["route"], row["ord"]) for row in (*rows, *members) if row["ord"]}
    await lock_order_keys(connection, orders)
    await promote_next(connection, orders, now, jobs)
    return len(rows)


async def purge(connection: Connection, wanted: Filter, most: int, worker: str) -> int:
    """Delete ended tasks with their calls; return how many."""
    where, values = build_condition(wanted)
    rows = await connection.fetch(
        f"""WITH old AS (SELECT id FROM tasks WHERE {where} AND {ENDED} ORDER BY id LIMIT {int(most)} FOR UPDATE),
            gone AS (DELETE FROM calls USING old WHERE calls.task = old.id)
            DELETE FROM tasks USING old WHERE tasks.id = old.id RETURNING tasks.id, tasks.route, tasks.state""",  # noqa: S608
        *values,
    )
    await drop_reservations(connection, [row["id"] for row in rows], doubtful=True)
    counts = StateCounts(worker)
    for row in rows:
        counts.add(row["route"], row["state"], -1)
    await counts.write(connection)
    return len(rows)
