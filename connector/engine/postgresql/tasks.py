"""Documents become tasks with a job each, unless they were seen before."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from connector.engine.change import Change, Settlement
from connector.engine.postgresql.connection import Connection
from connector.engine.postgresql.jobs import Jobs
from connector.engine.postgresql.queue import JOBS, heads, lock
from connector.engine.postgresql.rows import Counting, columns, packed
from connector.engine.store import StoreError
from connector.engine.tasks import ENDS, NewTask, TaskState

__all__ = ["Row", "Transaction", "accept", "carry", "settle"]

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
class Transaction:
    """One transaction under way."""

    connection: Connection
    jobs: Jobs
    worker: str
    now: float
    counting: Counting
    orders: set[tuple[str, str]] = field(default_factory=set[tuple[str, str]])
    """Order keys whose head may have come to its end."""


async def carry(at_work: Transaction, changes: Sequence[Change], held: Mapping[int, Row]) -> Any:
    """The ids of the new carriers; their members wait in them, and have no jobs of their own."""
    asked = [carried for change in changes for carried in change.carry]
    made = await accept(
        at_work.connection, [one.carrier for one in asked], at_work.now, at_work.jobs, at_work.counting, carries=True
    )
    rows = [(member, carrier) for one, carrier in zip(asked, made, strict=True) for member in one.members]
    if rows:
        await at_work.connection.execute(CARRY, *columns(rows, 2), at_work.now)
        await at_work.jobs.forget(at_work.connection, [held[member]["job"] for member, _ in rows])
    for member, _ in rows:
        at_work.counting.move(held[member]["route"], TaskState.PROCESSING, TaskState.WAITING)
    return iter(made)


async def settle(at_work: Transaction, changes: Sequence[Change], held: Mapping[int, Row]) -> None:
    settled = [one for change in changes for one in change.settle]
    if not settled:
        return
    rows = [(one.task, one.state.value, one.reason, one.due, int(one.uncounted), one.state in ENDS) for one in settled]
    ids, states, reasons, dues, uncounted, ended = columns(rows, 6)
    await at_work.connection.execute(SETTLE, ids, states, reasons, dues, uncounted, at_work.now, ended)
    for one in settled:
        at_work.counting.move(held[one.task]["route"], held[one.task]["state"], one.state)
        if held[one.task]["ord"]:
            at_work.orders.add((held[one.task]["route"], held[one.task]["ord"]))
    await _settle_jobs(at_work, settled, held)
    await _settle_carried(at_work, settled, held)


async def _settle_carried(at_work: Transaction, settled: Sequence[Settlement], held: Mapping[int, Row]) -> None:
    """Those that go in a task end with it, or were settled before it ends."""
    carrying = [(one.task, one.state.value, one.reason) for one in settled if one.carried]
    if carrying:
        members = await at_work.connection.fetch(CARRIED, *columns(carrying, 3), at_work.now)
        for member in members:
            at_work.counting.move(member["route"], TaskState.WAITING, member["state"])
            if member["ord"]:
                at_work.orders.add((member["route"], member["ord"]))
    ended = [one.task for one in settled if held[one.task]["carries"] and one.state in ENDS]
    if ended and (left := await at_work.connection.fetchval(LEFT, ended)) is not None:
        raise StoreError(f"task {left} cannot end while tasks go in it; settle them before, or all with it")


async def _settle_jobs(at_work: Transaction, settled: Sequence[Settlement], held: Mapping[int, Row]) -> None:
    """Jobs end with their tasks, or are given back; a task that leaves its carrier gets a new one."""
    ends = {
        held[one.task]["job"]: one.state in (TaskState.FINISHED, TaskState.SKIPPED)
        for one in settled
        if one.state in ENDS and held[one.task]["job"]
    }
    await at_work.jobs.end(at_work.connection, ends)
    going_on = [one for one in settled if one.state not in ENDS]
    plain = [one for one in going_on if not held[one.task]["ord"]]
    back = [one for one in plain if not held[one.task]["carried"]]
    waits = [one.due - at_work.now if one.due else 0.0 for one in back]
    await at_work.jobs.give_back(at_work.connection, [held[one.task]["job"] for one in back], waits)
    left = [one for one in plain if held[one.task]["carried"]]
    made = await at_work.jobs.add(
        at_work.connection,
        [held[one.task]["route"] for one in left],
        [one.task for one in left],
        [one.due - at_work.now for one in left],
    )
    # Whose turn it is of an order key is asked again: a person may have retried an older task meanwhile.
    queued = [one for one in going_on if held[one.task]["ord"]]
    await at_work.jobs.forget(at_work.connection, [held[one.task]["job"] for one in queued])
    if left or queued:
        await at_work.connection.execute(JOBS, [one.task for one in (*left, *queued)], [*made, *(0 for _ in queued)])
