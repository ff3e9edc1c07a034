"""The calls of tasks: what is about to be sent, and what it came to."""

from __future__ import annotations

from collections.abc import Sequence

from connector.engine.change import CallEnd
from connector.engine.sqlite.driver import Row
from connector.engine.sqlite.hands import Hands
from connector.engine.sqlite.leases import Lease
from connector.engine.sqlite.rows import CALL_BITS, calls_within
from connector.engine.sqlite.session import Session
from connector.engine.store import StoreError
from connector.engine.tasks import CallRecord

__all__ = ["end", "intend"]

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
