"""What operators do to tasks: retry, skip and purge, a bounded number per transaction."""

from __future__ import annotations

from collections.abc import Sequence

from connector.engine.change import CallEnd
from connector.engine.sqlite.changes import end_members
from connector.engine.sqlite.driver import Row
from connector.engine.sqlite.journal import write_ends
from connector.engine.sqlite.queue import update_turns
from connector.engine.sqlite.reservations import drop_reservations, release
from connector.engine.sqlite.rows import CARRIED, CODES, DUE, ENDED, HELD, LIVE_CODES, READY, STATES, call_id_range
from connector.engine.sqlite.session import Lease, Session
from connector.engine.tasks import TaskState

__all__ = ["NOT_A_CARRIER", "NOT_LEASED", "SKIPPABLE", "confirm", "hurry", "purge", "retry", "skip"]

NOT_LEASED = f"t.queue < {CARRIED}"
"""The task is neither leased nor in a carrier."""
SKIPPABLE = (TaskState.NEW, TaskState.WAITING, TaskState.FAILED, TaskState.UNKNOWN)
NOT_A_CARRIER = "t.members = 0"
FOUND = "SELECT id, route, state, queue, ord, members FROM tasks WHERE id = ?"
MADE = "SELECT count(*) FROM calls WHERE id BETWEEN ? AND ?"
RETRY = (
    "UPDATE tasks SET state = 0, queue = ?, due = 0, attempts = 0, cut_off = 0, updated = ?, reason = '', carrier = 0,"
    " retried = ? WHERE id = ?"
)
WAITS = f"SELECT id FROM tasks WHERE id = ? AND queue = {DUE} AND due > ?"
SKIP = f"UPDATE tasks SET state = ?, queue = {ENDED}, updated = ?, reason = ? WHERE id = ?"


def retry(session: Session, ids: Sequence[int], states: Sequence[TaskState], document: bytes | None) -> int:
    """Make the tasks that are in one of the states new again; return how many."""
    done = 0
    codes = {CODES[state] for state in states}
    for task, route, state, _, order, _ in _read_rows(session, ids):
        if state not in codes:
            continue
        (made,) = session.fetch_one(MADE, call_id_range(task))
        session.execute(RETRY, (HELD if order else READY, session.now, made, task))
        if document is not None:
            session.execute("UPDATE documents SET document = ? WHERE id = ?", (document, task))
        _move(session, route, order, state, TaskState.NEW)
        session.has_news = True
        done += 1
    return done


def hurry(session: Session, ids: Sequence[int]) -> int:
    """Let the tasks that wait for a time go on now; return how many."""
    done = 0
    for task in ids:
        if row := session.fetch_one(WAITS, (task, session.now)):
            session.execute("UPDATE tasks SET due = ? WHERE id = ?", (session.now, row[0]))
            session.has_news = True
            done += 1
    return done


def confirm(session: Session, end: CallEnd, outcome: bytes | None) -> bool:
    """End a call of an unknown task, and make the task new again; return whether it was unknown."""
    row = session.fetch_one(FOUND, (end.task,))
    if not row or row[2] != CODES[TaskState.UNKNOWN]:
        return False
    write_ends(session, [end], [outcome], {end.task: Lease(row[1], row[4], row[5])})
    release(session, [end])
    return retry(session, [end.task], [TaskState.UNKNOWN], None) == 1


def skip(session: Session, ids: Sequence[int], states: Sequence[TaskState], reason: str) -> int:
    """Skip the tasks that are in one of the states and not leased; return how many."""
    done = 0
    codes = {CODES[state] for state in states}
    for task, route, state, queue, order, members in _read_rows(session, ids):
        if state not in codes or queue >= CARRIED:
            continue
        session.execute(SKIP, (CODES[TaskState.SKIPPED], session.now, reason, task))
        if members:
            end_members(session, task, TaskState.SKIPPED, reason)
        _move(session, route, order, state, TaskState.SKIPPED)
        drop_reservations(session, [task])
        done += 1
    return done


def purge(session: Session, ids: Sequence[int], states: Sequence[TaskState]) -> int:
    """Delete the tasks that are in one of the states; their keys stay, so that they are not accepted again."""
    gone: list[int] = []
    codes = {CODES[state] for state in states}.difference(LIVE_CODES)
    for task, route, state, *_ in _read_rows(session, ids):
        if state in codes:
            session.add_to_count(route, STATES[int(state)], -1)
            gone.append(task)
    for table in ("tasks", "documents"):
        session.execute_many(f"DELETE FROM {table} WHERE id = ?", [(task,) for task in gone])
    for table in ("calls", "ends"):
        session.execute_many(f"DELETE FROM {table} WHERE id BETWEEN ? AND ?", [call_id_range(task) for task in gone])
    drop_reservations(session, gone, doubtful=True)
    return len(gone)


def _read_rows(session: Session, ids: Sequence[int]) -> Sequence[Row]:
    return [row for task in ids if (row := session.fetch_one(FOUND, (task,)))]


def _move(session: Session, route: int, order: str | None, state: int, to: TaskState) -> None:
    session.add_to_count(route, STATES[int(state)], -1)
    session.add_to_count(route, to, 1)
    if order:
        update_turns(session, [(route, order)])
