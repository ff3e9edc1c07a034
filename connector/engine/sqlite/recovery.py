"""What a process that is gone was working on is ready again, and waits are what they were whatever the clock did."""

from __future__ import annotations

from random import Random

from connector.engine.sqlite.codes import DUE, HELD, LEASED, READY
from connector.engine.sqlite.driver import Row
from connector.engine.sqlite.ordering import take_turns
from connector.engine.sqlite.rows import calls_within
from connector.engine.sqlite.session import Session
from connector.engine.tasks import TaskState

__all__ = ["put_back", "take_over"]

WORKED_ON = f"SELECT id, ord, attempts, cut_off, retried FROM tasks WHERE route = ? AND queue > 0 AND queue = {LEASED}"
LAST_CALL = (
    "SELECT c.attempt FROM calls c LEFT JOIN ends e ON e.id = c.id"
    " WHERE c.id BETWEEN ? AND ? AND (e.state IS NULL OR e.state <> 'not_sent') ORDER BY c.id DESC LIMIT 1"
)
BACK = "UPDATE tasks SET state = 1, queue = ?, due = ?, attempts = ?, cut_off = ? WHERE id = ?"
WAITS = f"FROM tasks WHERE route = ? AND queue > 0 AND queue IN ({DUE}, {HELD}) AND due > 0"
NEWEST = f"SELECT max(updated) {WAITS}"
PUT_BACK = (
    "UPDATE tasks SET due = due - ?1, updated = updated - ?1"
    f" WHERE route = ?2 AND queue > 0 AND queue IN ({DUE}, {HELD}) AND due > 0"
)
LEAP = 300.0
"""A clock that is so many seconds behind what it said before has jumped; less is waited for."""
OFTEN, LONGEST = 10, 30.0
"""After so many cuts in a row a task is given back for a time of its own, at most so many seconds away: if one of
several ends the process, the others get to their end meanwhile."""


def take_over(session: Session) -> None:
    """Makes ready what was leased; an attempt counts when something may have been sent in it."""
    for route in session.routes():
        tasks = session.all(WORKED_ON, (route,))
        session.execute_many(BACK, [_back(session, row) for row in tasks])
        session.count(route, TaskState.PROCESSING, -len(tasks))
        session.count(route, TaskState.WAITING, len(tasks))
        take_turns(session, {(route, order) for _, order, *_ in tasks if order})


def put_back(session: Session) -> None:
    """Makes waits as long as they were meant to be although the clock has gone back since."""
    for route in session.routes():
        (newest,) = session.one(NEWEST, (route,))
        behind = (newest or 0.0) - session.now
        if behind > LEAP:
            session.execute(PUT_BACK, (behind, route))


def _back(session: Session, row: Row) -> Row:
    task, _, attempts, cut_off, retried = row
    first, last_place = calls_within(task)
    last = session.one(LAST_CALL, (first + retried, last_place))
    if last and last[0] == attempts:
        return READY, 0.0, attempts, 0, task
    cut_off += 1
    wait = LONGEST * Random(f"{task} {cut_off}").random() if cut_off >= OFTEN else 0.0  # noqa: S311  to part tasks
    return DUE if wait else READY, session.now + wait if wait else 0.0, max(attempts - 1, 0), cut_off, task
