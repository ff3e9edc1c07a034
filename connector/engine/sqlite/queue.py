"""Leases: lease due tasks, check that a change is about leased ones, and keep the turns of order keys."""

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
    call_id_range,
    parse_call,
    parse_task,
)
from connector.engine.sqlite.session import Lease, Session
from connector.engine.store import Fenced, StoreError
from connector.engine.tasks import CallRecord, Task, TaskState

__all__ = ["HeldLeases", "find_leases", "lease", "lease_task", "update_turns"]

LEASED_ONE = COLUMNS.format(route=":name", state=PROCESSING, attempts="t.attempts + 1", updated=":now")
FOUND = f"SELECT {LEASED_ONE}, t.state, t.members FROM tasks t"
PARTS = "JOIN documents d ON d.id = t.id WHERE t.route = :route"
LATE = f"{FOUND} INDEXED BY due {PARTS} AND t.queue = {DUE} AND t.due <= :now ORDER BY t.due, t.id LIMIT :most"
LINE = f"{FOUND} INDEXED BY live {PARTS} AND t.queue > 0 AND t.queue = {READY} ORDER BY t.id LIMIT :most"
ONE = f"{FOUND} {PARTS} AND t.id = :task AND (t.queue = {READY} OR (t.queue = {DUE} AND t.due <= :now))"
TAKE = f"UPDATE tasks SET state = {PROCESSING}, queue = {LEASED}, attempts = attempts + 1, updated = ? WHERE id = ?"


def lease(session: Session, route: str, most: int, limit: int) -> Sequence[Task]:
    """Lease tasks of a route: those whose time has come first, then the oldest; a limit counts all leased ones."""
    number = session.route_id(route)
    if limit:
        most = max(min(most, limit - session.leases.count_of(number)), 0)
    values = {"name": route, "route": number, "now": session.now, "most": most}
    rows = session.fetch_all(LATE, values)
    if len(rows) < most:
        rows += session.fetch_all(LINE, {**values, "most": most - len(rows)})
    return _take(session, number, rows)


def lease_task(session: Session, task: int) -> Sequence[Task]:
    """Lease one task, if it waits for nothing but a worker."""
    route = session.fetch_one(
        "SELECT t.route, r.name FROM tasks t JOIN routes r ON r.id = t.route WHERE t.id = ?", (task,)
    )
    if not route:
        return []
    number, name = route
    rows = session.fetch_all(ONE, {"name": name, "route": number, "now": session.now, "task": task})
    return _take(session, number, rows)


def _take(session: Session, route: int, rows: Sequence[Row]) -> Sequence[Task]:
    session.execute_many(TAKE, [(session.now, row[0]) for row in rows])
    session.add_to_count(route, TaskState.PROCESSING, len(rows))
    return [_take_lease(session, route, row) for row in rows]


def _take_lease(session: Session, route: int, row: Row) -> Task:
    *columns, state, members = row
    task, order, retried = columns[0], columns[6], columns[15]
    session.add_to_count(route, STATES[int(state)], -1)
    held = Lease(route, order, members)
    session.leases.add(task, held)
    return parse_task(columns, _read_calls(session, task, held) if state or retried else ())


def _read_calls(session: Session, task: int, held: Lease) -> Sequence[CallRecord]:
    rows = session.fetch_all(CALLS, call_id_range(task))
    held.calls = {(attempt, number): call for call, attempt, number, *_ in rows}
    held.made = (rows[-1][0] & ((1 << CALL_BITS) - 1)) + 1 if rows else 0
    return [parse_call(row) for row in rows]


HeldLeases = Mapping[int, Lease]
MEMBER = f"SELECT route, ord, carrier FROM tasks WHERE id = ? AND queue = {CARRIED}"


def find_leases(session: Session, change: Change) -> HeldLeases:
    """Return the lease of each task that a change is about; raise Fenced when one is not leased here."""
    found: dict[int, Lease] = {}
    for parts in (change.intend, change.end, change.settle):
        for part in parts:
            if part.task not in found:
                found[part.task] = session.leases.get(part.task) or _find_member(session, part.task)
    for carried in change.carry:
        for task in carried.members:
            lease = session.leases.get(task)
            if lease is None:
                raise _fenced_error(task)
            if lease.members:
                raise StoreError(f"task {task} carries others, so it cannot go in another task")
            found[task] = lease
    return found


def _find_member(session: Session, task: int) -> Lease:
    row = session.fetch_one(MEMBER, (task,))
    if not row or row[2] not in session.leases:
        raise _fenced_error(task)
    return Lease(row[0], row[1], 0)


def _fenced_error(task: int) -> Fenced:
    return Fenced(f"task {task} is not leased by this process; nothing was done")


# The conditions repeat those of the indexes `turn` and `held`, so that they are used.
TURN = "SELECT id, queue FROM tasks WHERE route = ? AND ord = ? AND ord IS NOT NULL AND queue > 0 AND queue <> 3"
NEXT = "SELECT id FROM tasks WHERE route = ? AND ord = ? AND ord IS NOT NULL AND queue = 3 ORDER BY id LIMIT 1"
HOLD = f"UPDATE tasks SET queue = {HELD} WHERE id = ?"
GO = f"UPDATE tasks SET queue = iif(due > 0, {DUE}, {READY}) WHERE id = ?"


def update_turns(session: Session, orders: Iterable[tuple[int, str | None]]) -> None:
    """Update whose turn it is: of an order key, the oldest live task, unless a later one is under way."""
    for route, order in orders:
        waits = session.fetch_one(NEXT, (route, order))
        if not waits:
            continue
        turn = session.fetch_one(TURN, (route, order))
        if turn:
            if turn[1] in (CARRIED, LEASED) or turn[0] < waits[0]:
                continue
            session.execute(HOLD, (turn[0],))
        session.execute(GO, (waits[0],))
        session.has_news = True
