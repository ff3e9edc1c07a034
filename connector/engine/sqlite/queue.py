"""Tasks that are due become this process's, counted as attempted."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from connector.engine.change import Change
from connector.engine.sqlite.driver import Row
from connector.engine.sqlite.rows import (
    CALL_BITS,
    CALLS,
    CARRIED,
    COLUMNS,
    DUE,
    HELD,
    LEASED,
    PROCESSING,
    READY,
    STATES,
    call_of,
    calls_within,
    task_of,
)
from connector.engine.sqlite.session import Lease, Session
from connector.engine.store import Fenced, StoreError
from connector.engine.tasks import CallRecord, Task, TaskState

__all__ = ["Hands", "hands", "lease", "take_turns"]

LEASED_ONE = COLUMNS.format(route=":name", state=PROCESSING, attempts="t.attempts + 1", updated=":now")
FOUND = f"SELECT {LEASED_ONE}, t.state, t.members FROM tasks t"
PARTS = "JOIN documents d ON d.id = t.id WHERE t.route = :route"
LATE = f"{FOUND} INDEXED BY due {PARTS} AND t.queue = {DUE} AND t.due <= :now ORDER BY t.due, t.id LIMIT :most"
LINE = f"{FOUND} INDEXED BY live {PARTS} AND t.queue > 0 AND t.queue = {READY} ORDER BY t.id LIMIT :most"
TAKE = f"UPDATE tasks SET state = {PROCESSING}, queue = {LEASED}, attempts = attempts + 1, updated = ? WHERE id = ?"


def lease(session: Session, route: str, most: int, limit: int) -> Sequence[Task]:
    """At most so many tasks of a route, those whose time has come before the oldest; a limit counts leased ones."""
    number = session.route(route)
    if limit:
        most = max(min(most, limit - session.leases.of(number)), 0)
    values = {"name": route, "route": number, "now": session.now, "most": most}
    rows = session.all(LATE, values)
    if len(rows) < most:
        rows += session.all(LINE, {**values, "most": most - len(rows)})
    session.execute_many(TAKE, [(session.now, row[0]) for row in rows])
    session.count(number, TaskState.PROCESSING, len(rows))
    return [_leased(session, number, row) for row in rows]


def _leased(session: Session, route: int, row: Row) -> Task:
    *columns, state, members = row
    task, order, retried = columns[0], columns[6], columns[15]
    session.count(route, STATES[int(state)], -1)
    held = Lease(route, order, members)
    session.leases.add(task, held)
    return task_of(columns, _calls(session, task, held) if state or retried else ())


def _calls(session: Session, task: int, held: Lease) -> Sequence[CallRecord]:
    rows = session.all(CALLS, calls_within(task))
    held.calls = {(attempt, number): call for call, attempt, number, *_ in rows}
    held.made = (rows[-1][0] & ((1 << CALL_BITS) - 1)) + 1 if rows else 0
    return [call_of(row) for row in rows]


Hands = Mapping[int, Lease]
MEMBER = f"SELECT route, ord, carrier FROM tasks WHERE id = ? AND queue = {CARRIED}"


def hands(session: Session, change: Change) -> Hands:
    """What is known of each task that the change is about; Fenced when one is not this process's to change."""
    found: dict[int, Lease] = {}
    for parts in (change.intend, change.end, change.settle):
        for part in parts:
            if part.task not in found:
                found[part.task] = session.leases.get(part.task) or _member(session, part.task)
    for carried in change.carry:
        for task in carried.members:
            lease = session.leases.get(task)
            if lease is None:
                raise _fenced(task)
            if lease.members:
                raise StoreError(f"task {task} carries others, so it cannot go in another task")
            found[task] = lease
    return found


def _member(session: Session, task: int) -> Lease:
    row = session.one(MEMBER, (task,))
    if not row or row[2] not in session.leases:
        raise _fenced(task)
    return Lease(row[0], row[1], 0)


def _fenced(task: int) -> Fenced:
    return Fenced(f"task {task} is not leased by this process; nothing was done")


# The conditions repeat those of the indexes `turn` and `held`, so that they are used.
TURN = "SELECT id, queue FROM tasks WHERE route = ? AND ord = ? AND ord IS NOT NULL AND queue > 0 AND queue <> 3"
NEXT = "SELECT id FROM tasks WHERE route = ? AND ord = ? AND ord IS NOT NULL AND queue = 3 ORDER BY id LIMIT 1"
HOLD = f"UPDATE tasks SET queue = {HELD} WHERE id = ?"
GO = f"UPDATE tasks SET queue = iif(due > 0, {DUE}, {READY}) WHERE id = ?"


def take_turns(session: Session, orders: Iterable[tuple[int, str | None]]) -> None:
    """Gives each of these orders of a route its turn anew, after whatever has happened to their tasks."""
    for route, order in orders:
        waits = session.one(NEXT, (route, order))
        if not waits:
            continue
        turn = session.one(TURN, (route, order))
        if turn:
            if turn[1] in (CARRIED, LEASED) or turn[0] < waits[0]:
                continue
            session.execute(HOLD, (turn[0],))
        session.execute(GO, (waits[0],))
        session.news = True
