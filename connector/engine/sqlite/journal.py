"""What a change writes beside the tasks: calls, cursors, records, lines of files, expenses; and claims."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from connector.engine.change import CallEnd, Expense, Line
from connector.engine.sqlite.driver import Row
from connector.engine.sqlite.queue import HeldLeases
from connector.engine.sqlite.rows import CALL_BITS, call_id_range
from connector.engine.sqlite.session import Lease, Session
from connector.engine.store import StoreError
from connector.engine.tasks import CallRecord

__all__ = [
    "MINUTE",
    "add_expenses",
    "append_lines",
    "claim",
    "forget_lines",
    "put_cursors",
    "put_records",
    "write_ends",
    "write_intents",
]

CALL = "INSERT INTO calls VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
END = "INSERT OR REPLACE INTO ends VALUES (?, ?, ?, ?)"
NEWEST = "SELECT id FROM calls WHERE id BETWEEN ? AND ? ORDER BY id DESC LIMIT 1"
SAME = "SELECT id FROM calls WHERE id BETWEEN ? AND ? AND attempt = ? AND number = ? ORDER BY id DESC LIMIT 1"
MOST = 1 << CALL_BITS


def write_intents(
    session: Session, calls: Sequence[CallRecord], requests: Sequence[bytes | None], held: HeldLeases
) -> None:
    """Write the calls that are about to be sent."""
    rows: list[Row] = []
    for call, request in zip(calls, requests, strict=True):
        number = _next_call_id(session, call.task, held[call.task])
        held[call.task].calls[call.attempt, call.number] = number
        what = call.fingerprint, call.target, call.operation, call.effect, call.lookup, request, call.started
        rows.append((number, call.attempt, call.number, *what))
    session.execute_many(CALL, rows)


def write_ends(session: Session, ends: Sequence[CallEnd], outcomes: Sequence[bytes | None], held: HeldLeases) -> None:
    """Write how calls ended; a later end of the same call replaces an earlier one."""
    rows: list[Row] = []
    for one, outcome in zip(ends, outcomes, strict=True):
        number = held[one.task].calls.get((one.attempt, one.number)) or _find_call(session, one)
        rows.append((number, one.ended, one.state, outcome))
    session.execute_many(END, rows)


def _next_call_id(session: Session, task: int, lease: Lease) -> int:
    first, last = call_id_range(task)
    if not lease.made and task not in session.leases:
        newest = session.fetch_one(NEWEST, (first, last))
        lease.made = newest[0] - first + 1 if newest else 0
    if lease.made >= MOST:
        raise StoreError(f"task {task} has made {MOST} calls, the most that are kept of one; split its document")
    lease.made += 1
    return first + lease.made - 1


def _find_call(session: Session, one: CallEnd) -> int:
    found = session.fetch_one(SAME, (*call_id_range(one.task), one.attempt, one.number))
    if not found:
        raise StoreError(f"task {one.task} has no call {one.number} in attempt {one.attempt}, so none can end")
    return int(found[0])


PLACE = "INSERT INTO places (name, length) VALUES (?, 0) ON CONFLICT DO NOTHING"
LENGTH = "INSERT INTO places (name, length) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET length = excluded.length"
LINE = "INSERT INTO lines SELECT ?, id, ? FROM places WHERE name = ?"
WRITTEN = "DELETE FROM lines WHERE place = (SELECT id FROM places WHERE name = ?) AND number <= ?"


def append_lines(session: Session, lines: Sequence[Line]) -> None:
    """Queue lines in their order."""
    session.execute_many(PLACE, [(place,) for place in {line.place for line in lines}])
    session.execute_many(LINE, [(session.next_line_number(), line.data, line.place) for line in lines])


def forget_lines(session: Session, written: Mapping[str, tuple[int, int]]) -> None:
    """Delete lines that are on disk, and store the length of their file."""
    session.execute_many(LENGTH, [(place, length) for place, (_, length) in written.items()])
    session.execute_many(WRITTEN, [(place, number) for place, (number, _) in written.items()])


MINUTE = 60
"""Seconds of expenses that are summed in one row."""
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
"""Ticks of one name that are remembered."""


def put_cursors(session: Session, cursors: Iterable[tuple[str, bytes | None]]) -> None:
    """Store cursors; None deletes one."""
    for name, value in cursors:
        if value is None:
            session.execute("DELETE FROM cursors WHERE name = ?", (name,))
        else:
            session.execute(CURSOR, (name, value))


def put_records(session: Session, records: Iterable[tuple[str, str, bytes | None]]) -> None:
    """Store records; None deletes one."""
    for space, key, value in records:
        if value is None:
            session.execute("DELETE FROM records WHERE space = ? AND key = ?", (space, key))
        else:
            session.execute(RECORD, (space, key, value))


def add_expenses(session: Session, spent: Sequence[Expense]) -> None:
    """Add expenses to budgets."""
    session.execute_many(SPENT, [(one.name, int(one.at // MINUTE), one.tokens, one.cost) for one in spent])


def claim(session: Session, name: str, tick: str) -> bool:
    """Claim a tick; return False when it was claimed before."""
    if not session.fetch_one(CLAIM, (name, tick)):
        return False
    session.execute(OLD_CLAIMS, (name, CLAIMS))
    return True
