"""Tasks that are due become this process's, counted as attempted."""

from __future__ import annotations

from collections.abc import Sequence

from connector.engine.sqlite.codes import DUE, LEASED, PROCESSING, READY, STATES
from connector.engine.sqlite.driver import Row
from connector.engine.sqlite.leases import Lease
from connector.engine.sqlite.ordering import take_turns
from connector.engine.sqlite.rows import CALL_BITS, CALLS, COLUMNS, PARTS, call_of, calls_within, task_of
from connector.engine.sqlite.session import Session
from connector.engine.tasks import CallRecord, Task, TaskState

__all__ = ["lease", "take_over"]

FOUND = f"SELECT {COLUMNS}, t.members FROM tasks t"
LATE = (
    f"{FOUND} INDEXED BY due {PARTS} WHERE t.route = ? AND t.queue = {DUE} AND t.due <= ? ORDER BY t.due, t.id LIMIT ?"
)
LINE = f"{FOUND} INDEXED BY live {PARTS} WHERE t.route = ? AND t.queue > 0 AND t.queue = {READY} ORDER BY t.id LIMIT ?"
TAKE = f"UPDATE tasks SET state = {PROCESSING}, queue = {LEASED}, attempts = attempts + 1, updated = ? WHERE id = ?"
WORKED_ON = f"SELECT id, ord FROM tasks WHERE route = ? AND queue > 0 AND queue = {LEASED}"
BACK = f"UPDATE tasks SET state = 1, queue = {READY} WHERE id = ?"


def lease(session: Session, route: str, most: int, limit: int) -> Sequence[Task]:
    """At most so many tasks of a route, those whose time has come before the oldest; a limit counts leased ones."""
    number = session.route(route)
    if limit:
        most = max(min(most, limit - session.leases.of(number)), 0)
    rows = session.all(LATE, (number, session.now, most))
    if len(rows) < most:
        rows += session.all(LINE, (number, most - len(rows)))
    session.execute_many(TAKE, [(session.now, row[0]) for row in rows])
    return [_leased(session, number, row) for row in rows]


def take_over(session: Session) -> None:
    """What a process that is gone was working on is ready again; its attempts count."""
    for route in session.routes():
        tasks = session.all(WORKED_ON, (route,))
        session.execute_many(BACK, [(task,) for task, _ in tasks])
        session.count(route, TaskState.PROCESSING, -len(tasks))
        session.count(route, TaskState.WAITING, len(tasks))
        take_turns(session, {(route, order) for _, order in tasks if order})


def _leased(session: Session, route: int, row: Row) -> Task:
    task, state, order, retried, members = row[0], row[3], row[6], row[15], row[16]
    session.count(route, STATES[int(state)], -1)
    session.count(route, TaskState.PROCESSING, 1)
    held = Lease(route, order, members)
    session.leases.add(task, held)
    calls = _calls(session, task, held) if state or retried else ()
    return task_of((*row[:3], PROCESSING, *row[4:7], row[7] + 1, *row[8:10], session.now, *row[11:16]), calls)


def _calls(session: Session, task: int, held: Lease) -> Sequence[CallRecord]:
    rows = session.all(CALLS, calls_within(task))
    held.calls = {(attempt, number): call for call, attempt, number, *_ in rows}
    held.made = (rows[-1][0] & ((1 << CALL_BITS) - 1)) + 1 if rows else 0
    return [call_of(row) for row in rows]
