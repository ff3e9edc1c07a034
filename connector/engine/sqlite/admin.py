"""What people do to tasks: retry them, skip them, forget them; a bounded number in each transaction."""

from __future__ import annotations

from collections.abc import Sequence

from connector.engine.sqlite.driver import Row
from connector.engine.sqlite.queue import take_turns
from connector.engine.sqlite.rows import CARRIED, CODES, HELD, LIVE_CODES, NOWHERE, READY, STATES, calls_within
from connector.engine.sqlite.session import Session
from connector.engine.sqlite.tasks import end_members
from connector.engine.tasks import TaskState

__all__ = ["NOT_A_CARRIER", "NOT_LEASED", "SKIPPABLE", "purge", "retry", "skip"]

NOT_LEASED = f"t.queue < {CARRIED}"
"""Neither under way nor in another task that is."""
SKIPPABLE = (TaskState.NEW, TaskState.WAITING, TaskState.FAILED, TaskState.UNKNOWN)
NOT_A_CARRIER = "t.members = 0"
FOUND = "SELECT id, route, state, queue, ord, members FROM tasks WHERE id = ?"
MADE = "SELECT count(*) FROM calls WHERE id BETWEEN ? AND ?"
RETRY = (
    "UPDATE tasks SET state = 0, queue = ?, due = 0, attempts = 0, cut_off = 0, updated = ?, reason = '', carrier = 0,"
    " retried = ? WHERE id = ?"
)
SKIP = f"UPDATE tasks SET state = ?, queue = {NOWHERE}, updated = ?, reason = ? WHERE id = ?"


def retry(session: Session, ids: Sequence[int], states: Sequence[TaskState], document: bytes | None) -> int:
    """Makes those of these tasks new that are in one of the states."""
    done = 0
    codes = {CODES[state] for state in states}
    for task, route, state, _, order, _ in _rows(session, ids):
        if state not in codes:
            continue
        (made,) = session.one(MADE, calls_within(task))
        session.execute(RETRY, (HELD if order else READY, session.now, made, task))
        if document is not None:
            session.execute("UPDATE documents SET document = ? WHERE id = ?", (document, task))
        _moved(session, route, order, state, TaskState.NEW)
        session.news = True
        done += 1
    return done


def skip(session: Session, ids: Sequence[int], states: Sequence[TaskState], reason: str) -> int:
    """Ends those of these tasks that are in one of the states and that nobody works on."""
    done = 0
    codes = {CODES[state] for state in states}
    for task, route, state, queue, order, members in _rows(session, ids):
        if state not in codes or queue >= CARRIED:
            continue
        session.execute(SKIP, (CODES[TaskState.SKIPPED], session.now, reason, task))
        if members:
            end_members(session, task, TaskState.SKIPPED, reason)
        _moved(session, route, order, state, TaskState.SKIPPED)
        done += 1
    return done


def purge(session: Session, ids: Sequence[int], states: Sequence[TaskState]) -> int:
    """Forgets those of these tasks that are in one of the states; their keys stay, so that they are not done again."""
    gone: list[int] = []
    codes = {CODES[state] for state in states}.difference(LIVE_CODES)
    for task, route, state, *_ in _rows(session, ids):
        if state in codes:
            session.count(route, STATES[int(state)], -1)
            gone.append(task)
    for table in ("tasks", "documents"):
        session.execute_many(f"DELETE FROM {table} WHERE id = ?", [(task,) for task in gone])
    for table in ("calls", "ends"):
        session.execute_many(f"DELETE FROM {table} WHERE id BETWEEN ? AND ?", [calls_within(task) for task in gone])
    return len(gone)


def _rows(session: Session, ids: Sequence[int]) -> Sequence[Row]:
    return [row for task in ids if (row := session.one(FOUND, (task,)))]


def _moved(session: Session, route: int, order: str | None, state: int, to: TaskState) -> None:
    session.count(route, STATES[int(state)], -1)
    session.count(route, to, 1)
    if order:
        take_turns(session, [(route, order)])
