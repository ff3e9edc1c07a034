"""The calls of tasks: what is about to be sent, and what it came to."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from connector.engine.change import CallEnd, Expense, Line
from connector.engine.sqlite.driver import Row
from connector.engine.sqlite.queue import Hands
from connector.engine.sqlite.rows import CALL_BITS, calls_within
from connector.engine.sqlite.session import Lease, Session
from connector.engine.store import StoreError
from connector.engine.tasks import CallRecord

__all__ = ["MINUTE", "append", "claim", "end", "forget", "intend", "put_cursors", "put_records", "spend"]

CALL = "INSERT INTO calls VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
END = "INSERT OR REPLACE INTO ends VALUES (?, ?, ?, ?)"
NEWEST = "SELECT id FROM calls WHERE id BETWEEN ? AND ? ORDER BY id DESC LIMIT 1"
SAME = "SELECT id FROM calls WHERE id BETWEEN ? AND ? AND attempt = ? AND number = ? ORDER BY id DESC LIMIT 1"
MOST = 1 << CALL_BITS


def intend(session: Session, calls: Sequence[CallRecord], requests: Sequence[bytes | None], hands: Hands) -> None:
    """Writes down what is about to be sent."""
    rows: list[Row] = []
    for call, request in zip(calls, requests, strict=True):
        number = _next(session, call.task, hands[call.task])
        hands[call.task].calls[call.attempt, call.number] = number
        what = call.fingerprint, call.target, call.operation, call.effect, call.lookup, request, call.started
        rows.append((number, call.attempt, call.number, *what))
    session.execute_many(CALL, rows)


def end(session: Session, ends: Sequence[CallEnd], outcomes: Sequence[bytes | None], hands: Hands) -> None:
    """Writes down what calls came to; a later word on the same call is the one that counts."""
    rows: list[Row] = []
    for one, outcome in zip(ends, outcomes, strict=True):
        number = hands[one.task].calls.get((one.attempt, one.number)) or _same(session, one)
        rows.append((number, one.ended, one.state, outcome))
    session.execute_many(END, rows)


def _next(session: Session, task: int, lease: Lease) -> int:
    first, last = calls_within(task)
    if not lease.made and task not in session.leases:
        newest = session.one(NEWEST, (first, last))
        lease.made = newest[0] - first + 1 if newest else 0
    if lease.made >= MOST:
        raise StoreError(f"task {task} has made {MOST} calls, the most that are kept of one; split its document")
    lease.made += 1
    return first + lease.made - 1


def _same(session: Session, one: CallEnd) -> int:
    found = session.one(SAME, (*calls_within(one.task), one.attempt, one.number))
    if not found:
        raise StoreError(f"task {one.task} has no call {one.number} in attempt {one.attempt}, so none can end")
    return int(found[0])


PLACE = "INSERT INTO places (name, length) VALUES (?, 0) ON CONFLICT DO NOTHING"
LENGTH = "INSERT INTO places (name, length) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET length = excluded.length"
LINE = "INSERT INTO lines SELECT ?, id, ? FROM places WHERE name = ?"
WRITTEN = "DELETE FROM lines WHERE place = (SELECT id FROM places WHERE name = ?) AND number <= ?"


def append(session: Session, lines: Sequence[Line]) -> None:
    """Keeps lines in their order."""
    session.execute_many(PLACE, [(place,) for place in {line.place for line in lines}])
    session.execute_many(LINE, [(session.new_line(), line.data, line.place) for line in lines])


def forget(session: Session, written: Mapping[str, tuple[int, int]]) -> None:
    """Lines that are on disk are kept no longer; the length of their file is."""
    session.execute_many(LENGTH, [(place, length) for place, (_, length) in written.items()])
    session.execute_many(WRITTEN, [(place, number) for place, (number, _) in written.items()])


MINUTE = 60
"""Seconds whose spending is one row."""
CURSOR = "INSERT INTO cursors VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value"
RECORD = "INSERT INTO records VALUES (?, ?, ?) ON CONFLICT (space, key) DO UPDATE SET value = excluded.value"
SPENT = (
    "INSERT INTO spent VALUES (?, ?, ?, ?)"
    " ON CONFLICT (name, minute) DO UPDATE SET tokens = tokens + excluded.tokens, cost = cost + excluded.cost"
)
CLAIM = "INSERT INTO claims (name, tick) VALUES (?, ?) ON CONFLICT DO NOTHING RETURNING number"
OLD_CLAIMS = (
    "DELETE FROM claims WHERE name = ?1 AND number <="
    " (SELECT number FROM claims WHERE name = ?1 ORDER BY number DESC LIMIT 1 OFFSET ?2)"
)
CLAIMS = 1000
"""So many ticks of one name are remembered."""


def put_cursors(session: Session, cursors: Iterable[tuple[str, bytes | None]]) -> None:
    """Where readings go on; None forgets."""
    for name, value in cursors:
        if value is None:
            session.execute("DELETE FROM cursors WHERE name = ?", (name,))
        else:
            session.execute(CURSOR, (name, value))


def put_records(session: Session, records: Iterable[tuple[str, str, bytes | None]]) -> None:
    """Small values by space and key; None deletes."""
    for space, key, value in records:
        if value is None:
            session.execute("DELETE FROM records WHERE space = ? AND key = ?", (space, key))
        else:
            session.execute(RECORD, (space, key, value))


def spend(session: Session, spent: Sequence[Expense]) -> None:
    """Adds to what was used of budgets."""
    session.execute_many(SPENT, [(one.name, int(one.at // MINUTE), one.tokens, one.cost) for one in spent])


def claim(session: Session, name: str, tick: str) -> bool:
    """Whether nobody has claimed this tick before."""
    if not session.one(CLAIM, (name, tick)):
        return False
    session.execute(OLD_CLAIMS, (name, CLAIMS))
    return True
