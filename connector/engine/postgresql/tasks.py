"""The life of a task: accepted with a job, carried by another, settled."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from connector.engine.change import Change, Settlement
from connector.engine.postgresql.connection import Connection
from connector.engine.postgresql.jobs import Jobs
from connector.engine.postgresql.queue import SET_JOBS, find_busy_keys, lock_order_keys
from connector.engine.postgresql.rows import StateCounts, dump_json, to_columns
from connector.engine.store import StoreError
from connector.engine.tasks import ENDS, NewTask, TaskState

__all__ = ["CommitContext", "Row", "accept", "carry", "settle"]

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
    connection: Connection,
    new: Sequence[NewTask],
    now: float,
    jobs: Jobs,
    counts: StateCounts,
    *,
    carries: bool = False,
) -> list[int]:
    """Accept documents; return their ids in order, 0 for a duplicate; a carrier is never one."""
    if not new:
        return []
    fresh = list(range(len(new))) if carries else await _drop_duplicates(connection, new)
    ids = await connection.fetch("SELECT nextval('task_ids') AS id FROM generate_series(1, $1)", len(fresh))
    numbered = dict(zip(fresh, sorted(row["id"] for row in ids), strict=True))
    orders = {(new[at].route, new[at].order) for at in fresh if new[at].order}
    await lock_order_keys(connection, orders)
    behind = await find_busy_keys(connection, orders)
    ready = [at for at in fresh if _goes_first(new[at], behind)]
    made = await jobs.add(
        connection, [new[at].route for at in ready], [numbered[at] for at in ready], [new[at].due - now for at in ready]
    )
    job_of = dict(zip(ready, made, strict=True))
    rows = [_make_row(new[at], numbered[at], job_of.get(at, 0)) for at in fresh]
    await connection.execute(INSERT, *to_columns(rows, 11), now, carries)
    for at in fresh:
        counts.add(new[at].route, _initial_state(new[at]), 1)
    return [numbered.get(at, 0) for at in range(len(new))]


def _goes_first(task: NewTask, behind: set[tuple[str, str]]) -> bool:
    """Return whether a task is the first of its order key; later ones of the key wait."""
    place = (task.route, task.order)
    if task.order and place in behind:
        return False
    if task.order:
        behind.add(place)
    return True


def _initial_state(task: NewTask) -> TaskState:
    return TaskState.WAITING if task.due else TaskState.NEW


def _make_row(task: NewTask, number: int, job: int) -> tuple[object, ...]:
    return (
        number, task.route, _initial_state(task).value, dump_json(task.document), task.key, task.version, task.order,
        task.due, task.trace, task.source, job,
    )  # fmt: skip


async def _drop_duplicates(connection: Connection, new: Sequence[NewTask]) -> list[int]:
    """Return the positions of documents that are no duplicates, and note all as seen."""
    keyed = [task for task in new if task.identity]
    if not keyed:
        return list(range(len(new)))
    places = sorted({(task.route, task.key) for task in keyed})
    # Insert a row first: two workers that see a new key at the same time wait for each other here.
    new_rows = await connection.fetch(RESERVE, *to_columns(places, 2))
    unknown = {(row["route"], row["key"]) for row in new_rows}
    rows = await connection.fetch(KNOWN, *to_columns(places, 2))
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
    await connection.execute(SEEN, *to_columns(rows_seen, 4))
    return fresh


SETTLE = """
UPDATE tasks SET state = given.state, reason = given.reason, due = given.due, updated = $6, worker = NULL,
    attempts = attempts - given.uncounted, cut_off = 0, job = CASE WHEN given.ended THEN 0 ELSE tasks.job END,
    carrier = CASE WHEN given.ended THEN tasks.carrier ELSE 0 END
FROM unnest($1::bigint[], $2::text[], $3::text[], $4::float8[], $5::integer[], $7::boolean[])
     AS given (id, state, reason, due, uncounted, ended)
WHERE tasks.id = given.id
"""
CARRIED = """
UPDATE tasks SET state = given.state, reason = given.reason, updated = $4
FROM unnest($1::bigint[], $2::text[], $3::text[]) AS given (carrier, state, reason)
WHERE tasks.carrier = given.carrier AND tasks.state = 'waiting'
RETURNING tasks.route, tasks.ord, tasks.state
"""
CARRY = """
UPDATE tasks SET state = 'waiting', carrier = given.carrier, worker = NULL, job = 0, updated = $3
FROM unnest($1::bigint[], $2::bigint[]) AS given (id, carrier) WHERE tasks.id = given.id
"""

LEFT = "SELECT carrier FROM tasks WHERE carrier = ANY($1::bigint[]) AND state = 'waiting' LIMIT 1"

Row = Mapping[str, Any]


@dataclass(slots=True)
class CommitContext:
    """What the steps of one commit share."""

    connection: Connection
    jobs: Jobs
    worker: str
    now: float
    counts: StateCounts
    orders: set[tuple[str, str]] = field(default_factory=set[tuple[str, str]])
    """Order keys whose oldest task may have ended."""


async def carry(context: CommitContext, changes: Sequence[Change], held: Mapping[int, Row]) -> Any:
    """Accept carriers and move their members into them; return the carriers' ids."""
    asked = [carried for change in changes for carried in change.carry]
    made = await accept(
        context.connection, [one.carrier for one in asked], context.now, context.jobs, context.counts, carries=True
    )
    rows = [(member, carrier) for one, carrier in zip(asked, made, strict=True) for member in one.members]
    if rows:
        await context.connection.execute(CARRY, *to_columns(rows, 2), context.now)
        await context.jobs.delete(context.connection, [held[member]["job"] for member, _ in rows])
    for member, _ in rows:
        context.counts.move(held[member]["route"], TaskState.PROCESSING, TaskState.WAITING)
    return iter(made)


async def settle(context: CommitContext, changes: Sequence[Change], held: Mapping[int, Row]) -> None:
    settled = [one for change in changes for one in change.settle]
    if not settled:
        return
    rows = [(one.task, one.state.value, one.reason, one.due, int(one.uncounted), one.state in ENDS) for one in settled]
    ids, states, reasons, dues, uncounted, ended = to_columns(rows, 6)
    await context.connection.execute(SETTLE, ids, states, reasons, dues, uncounted, context.now, ended)
    for one in settled:
        context.counts.move(held[one.task]["route"], held[one.task]["state"], one.state)
        if held[one.task]["ord"]:
            context.orders.add((held[one.task]["route"], held[one.task]["ord"]))
    await _settle_jobs(context, settled, held)
    await _settle_carried(context, settled, held)


async def _settle_carried(context: CommitContext, settled: Sequence[Settlement], held: Mapping[int, Row]) -> None:
    """End the members of carriers; raise StoreError when a carrier ends before its members."""
    carrying = [(one.task, one.state.value, one.reason) for one in settled if one.carried]
    if carrying:
        members = await context.connection.fetch(CARRIED, *to_columns(carrying, 3), context.now)
        for member in members:
            context.counts.move(member["route"], TaskState.WAITING, member["state"])
            if member["ord"]:
                context.orders.add((member["route"], member["ord"]))
    ended = [one.task for one in settled if held[one.task]["carries"] and one.state in ENDS]
    if ended and (left := await context.connection.fetchval(LEFT, ended)) is not None:
        raise StoreError(f"task {left} cannot end while tasks go in it; settle them before, or all with it")


async def _settle_jobs(context: CommitContext, settled: Sequence[Settlement], held: Mapping[int, Row]) -> None:
    """End or return the jobs of settled tasks; a task that leaves its carrier gets a new one."""
    ends = {
        held[one.task]["job"]: one.state in (TaskState.FINISHED, TaskState.SKIPPED)
        for one in settled
        if one.state in ENDS and held[one.task]["job"]
    }
    await context.jobs.end(context.connection, ends)
    going_on = [one for one in settled if one.state not in ENDS]
    plain = [one for one in going_on if not held[one.task]["ord"]]
    back = [one for one in plain if not held[one.task]["carried"]]
    waits = [one.due - context.now if one.due else 0.0 for one in back]
    await context.jobs.give_back(context.connection, [held[one.task]["job"] for one in back], waits)
    left = [one for one in plain if held[one.task]["carried"]]
    made = await context.jobs.add(
        context.connection,
        [held[one.task]["route"] for one in left],
        [one.task for one in left],
        [one.due - context.now for one in left],
    )
    # The turn of an order key is determined again: a person may have retried an older task meanwhile.
    queued = [one for one in going_on if held[one.task]["ord"]]
    await context.jobs.delete(context.connection, [held[one.task]["job"] for one in queued])
    if left or queued:
        await context.connection.execute(
            SET_JOBS, [one.task for one in (*left, *queued)], [*made, *(0 for _ in queued)]
        )
