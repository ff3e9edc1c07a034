"""Tasks that are due become this process's, counted as attempted."""

from __future__ import annotations

from collections.abc import Sequence

from connector.engine.sqlite.codes import DUE, LEASED, PROCESSING, READY, STATES
from connector.engine.sqlite.driver import Row
from connector.engine.sqlite.leases import Lease
from connector.engine.sqlite.rows import CALL_BITS, CALLS, COLUMNS, call_of, calls_within, task_of
from connector.engine.sqlite.session import Session
from connector.engine.tasks import CallRecord, Task, TaskState

__all__ = ["lease"]

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
