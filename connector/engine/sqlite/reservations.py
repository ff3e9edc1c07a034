"""What is reserved of budgets: made with the intents of calls, gone with their ends."""

from __future__ import annotations

from collections.abc import Sequence

from connector.engine.change import CallEnd, Change, Expense, Reservation, Settlement
from connector.engine.sqlite.driver import Row
from connector.engine.sqlite.journal import MINUTE
from connector.engine.sqlite.session import Session
from connector.engine.store import BudgetExceeded
from connector.engine.tasks import ENDS, TaskState

__all__ = [
    "RESERVED",
    "SPENT",
    "check_reservations",
    "drop_reservations",
    "release",
    "settle_reservations",
    "write_reservations",
]

SPENT = "SELECT total(tokens), total(cost) FROM spent WHERE name = ? AND minute >= ?"
RESERVED = (
    "SELECT total(tokens), total(cost) FROM (SELECT tokens, cost FROM reserved_sums WHERE name = ?1"
    " UNION ALL SELECT tokens, cost FROM reserved WHERE name = ?1 AND doubtful = 1 AND minute >= ?2)"
)
DOUBTFUL = "SELECT total(tokens), total(cost) FROM reserved WHERE name = ? AND doubtful = 1 AND minute >= ?"
RESERVE = "INSERT INTO reserved VALUES (?, ?, ?, ?, ?, ?, ?, 0)"
ONE = "SELECT name, tokens, cost FROM reserved WHERE task = ? AND attempt = ? AND number = ?"
RELEASE = "DELETE FROM reserved WHERE task = ? AND attempt = ? AND number = ?"
DOUBT = "UPDATE reserved SET doubtful = 1 WHERE task = ? AND attempt = ? AND number = ? AND doubtful = 0"
ANY = "SELECT 1 FROM reserved LIMIT 1"
DOUBT_ALL = "UPDATE reserved SET doubtful = 1 WHERE task = ? AND doubtful = 0"
DROP = "DELETE FROM reserved WHERE task = ? AND doubtful <= ?"
UNKNOWN = "unknown"


def check_reservations(session: Session, change: Change) -> None:
    """Raise BudgetExceeded when a budget has not enough left for what a change reserves, after what it settles."""
    held: dict[str, Expense] = {}
    for name, tokens, cost in [row for end in change.end if (row := _find_released(session, end))]:
        held[name] = _add(held.get(name), name, -tokens, -cost)
    for one in change.reserve:
        minute = int(one.since // MINUTE)
        spent = _read(session, SPENT, one, minute)
        for other in change.spent:
            if other.name == one.name and other.at >= one.since:
                spent = _add(spent, one.name, other.tokens, other.cost)
        reserved = _read(session, RESERVED, one, minute)
        more = held.get(one.name)
        if more is not None:
            reserved = _add(reserved, one.name, more.tokens, more.cost)
        if not one.fits(spent, reserved):
            raise BudgetExceeded(one, spent, reserved, _read(session, DOUBTFUL, one, minute))
        held[one.name] = _add(more, one.name, one.tokens, one.cost)


def _find_released(session: Session, end: CallEnd) -> Row:
    is_kept = end.state == UNKNOWN or end.pending
    return () if is_kept else session.fetch_one(ONE, (end.task, end.attempt, end.number))


def _add(sum_: Expense | None, name: str, tokens: int, cost: float) -> Expense:
    before = sum_ or Expense(name=name, at=0.0)
    return Expense(name=name, at=before.at, tokens=before.tokens + tokens, cost=before.cost + cost)


def write_reservations(session: Session, wanted: Sequence[Reservation]) -> None:
    """Reserve what calls may use."""
    rows = [
        (one.task, one.attempt, one.number, one.name, int(one.at // MINUTE), one.tokens, one.cost) for one in wanted
    ]
    session.execute_many(RESERVE, rows)


def release(session: Session, ends: Sequence[CallEnd]) -> None:
    """Release what was reserved for calls that have ended; for one whose end is unknown it stays."""
    if not session.fetch_one(ANY):
        return
    gone = [(end.task, end.attempt, end.number) for end in ends if end.state != UNKNOWN and not end.pending]
    session.execute_many(RELEASE, gone)
    session.execute_many(DOUBT, [(end.task, end.attempt, end.number) for end in ends if end.state == UNKNOWN])


def settle_reservations(session: Session, settled: Sequence[Settlement]) -> None:
    """Release what was reserved for tasks that come to their end; of one whose end is unknown it stays."""
    ended = [one for one in settled if one.state in ENDS]
    if not ended or not session.fetch_one(ANY):
        return
    session.execute_many(DOUBT_ALL, [(one.task,) for one in ended if one.state is TaskState.UNKNOWN])
    session.execute_many(DROP, [(one.task, 0) for one in ended])


def drop_reservations(session: Session, tasks: Sequence[int], *, doubtful: bool = False) -> None:
    """Release all that was reserved for tasks that have ended; what is doubtful only when that is said."""
    if tasks and session.fetch_one(ANY):
        session.execute_many(DROP, [(task, int(doubtful)) for task in tasks])


def _read(session: Session, question: str, one: Reservation, minute: int) -> Expense:
    tokens, cost = session.fetch_one(question, (one.name, minute))
    return Expense(name=one.name, at=one.at, tokens=int(tokens), cost=cost)
