"""Many changes as one transaction: a dozen statements, however many tasks are in it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from connector.engine.change import Change, Committed, Settled
from connector.engine.postgresql.accepting import accept
from connector.engine.postgresql.checking import check
from connector.engine.postgresql.connection import Connection
from connector.engine.postgresql.counting import Counting
from connector.engine.postgresql.journal import write_calls, write_values
from connector.engine.postgresql.ordering import JOBS, lock, next_in_line
from connector.engine.postgresql.rows import columns
from connector.engine.store import StoreError
from connector.engine.tasks import ENDS, TaskState

if TYPE_CHECKING:
    from connector.engine.postgresql.jobs import Jobs

__all__ = ["Lost", "named_in", "write"]

MINE = """
SELECT task.id, task.route, task.ord, task.job, task.state, task.carrier, task.carries,
    carrier.id IS NOT NULL AS carried
FROM tasks AS task
LEFT JOIN tasks AS carrier ON carrier.id = task.carrier AND carrier.worker = $2 AND carrier.state = 'processing'
WHERE task.id = ANY($1::bigint[])
AND (task.worker = $2 AND task.state = 'processing' OR task.state = 'waiting' AND carrier.id IS NOT NULL)
ORDER BY task.id FOR NO KEY UPDATE OF task
"""
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


class Lost(Exception):
    """Tasks of changes that are not this worker's any more."""

    def __init__(self, tasks: set[int]) -> None:
        super().__init__(f"tasks {sorted(tasks)}")
        self.tasks = tasks


@dataclass(slots=True)
class Writing:
    """One transaction under way."""

    connection: Connection
    jobs: Jobs
    worker: str
    now: float
    counting: Counting
    orders: set[tuple[str, str]] = field(default_factory=set[tuple[str, str]])
    """Order keys whose head may have come to its end."""


async def write(
    connection: Connection, changes: Sequence[Change], jobs: Jobs, worker: str, now: float
) -> list[Committed]:
    """What each change gave; Lost, and nothing may be committed, when one of them is about a task of another worker."""
    at_work = Writing(connection, jobs, worker, now, Counting(worker))
    for change in changes:
        check(change)
    held = await _held(at_work, changes)
    await write_calls(connection, changes)
    carriers = await _carry(at_work, changes, held)
    await _settle(at_work, changes, held)
    new = [task for change in changes for task in change.accept]
    accepted = iter(await accept(connection, new, now, jobs, at_work.counting))
    if at_work.orders:
        await lock(connection, at_work.orders)
        await next_in_line(connection, at_work.orders, now, jobs)
    await write_values(connection, changes)
    await at_work.counting.write(connection)
    return [
        Committed([next(accepted) for _ in change.accept], [next(carriers) for _ in change.carry]) for change in changes
    ]


def named_in(change: Change) -> set[int]:
    """The tasks that must be this worker's."""
    found = {settled.task for settled in change.settle}
    found.update(call.task for call in change.intend)
    found.update(call.task for call in change.end)
    return found.union(*(carried.members for carried in change.carry))


async def _held(at_work: Writing, changes: Sequence[Change]) -> dict[int, Row]:
    """The rows of all tasks that the changes are about, locked: nobody else can lease them meanwhile."""
    named = set[int]().union(*map(named_in, changes))
    if not named:
        return {}
    rows = await at_work.connection.fetch(MINE, sorted(named), at_work.worker)
    held = {row["id"]: row for row in rows}
    if lost := named - held.keys():
        raise Lost(lost)
    return held


async def _carry(at_work: Writing, changes: Sequence[Change], held: Mapping[int, Row]) -> Any:
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


async def _settle(at_work: Writing, changes: Sequence[Change], held: Mapping[int, Row]) -> None:
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


async def _settle_carried(at_work: Writing, settled: Sequence[Settled], held: Mapping[int, Row]) -> None:
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


async def _settle_jobs(at_work: Writing, settled: Sequence[Settled], held: Mapping[int, Row]) -> None:
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
