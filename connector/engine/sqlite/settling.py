"""Leased tasks come to an end, or wait; those that go in one share its end."""

from __future__ import annotations

from collections.abc import Sequence

from connector.engine.change import Carried, Settled
from connector.engine.sqlite.codes import CARRIED, CODES, DUE, NOWHERE, READY
from connector.engine.sqlite.driver import Row
from connector.engine.sqlite.hands import Hands
from connector.engine.sqlite.ordering import take_turns
from connector.engine.sqlite.session import Session
from connector.engine.store import StoreError
from connector.engine.tasks import ENDS, TaskState

__all__ = ["carry", "end_members", "settle"]

SETTLE = (
    "UPDATE tasks SET state = ?, queue = ?, due = ?, attempts = attempts - ?, cut_off = 0, updated = ?, reason = ?,"
    " carrier = iif(?, carrier, 0) WHERE id = ?"
)
CARRY = f"UPDATE tasks SET state = 1, queue = {CARRIED}, carrier = ?, updated = ? WHERE id = ?"
MEMBERS = f"FROM tasks WHERE carrier = ? AND queue = {CARRIED}"
END_MEMBERS = f"UPDATE tasks SET state = ?, queue = 0, updated = ?, reason = ? WHERE carrier = ? AND queue = {CARRIED}"


def settle(session: Session, settled: Sequence[Settled], hands: Hands) -> None:
    """What the settled tasks are from now on; they are leased no longer."""
    rows: list[Row] = []
    if len({one.task for one in settled}) < len(settled):
        raise StoreError("a task is settled twice in one change; nothing was done")
    for one in settled:
        lease = hands[one.task]
        leased = one.task in session.leases
        session.count(lease.route, TaskState.PROCESSING if leased else TaskState.WAITING, -1)
        session.count(lease.route, one.state, 1)
        rows.append(_row(session, one))
        if leased:
            session.leases.drop(one.task)
    session.execute_many(SETTLE, rows)
    for one in settled:
        if hands[one.task].members:
            _carrier_ended(session, one)
    take_turns(session, {(hands[one.task].route, order) for one in settled if (order := hands[one.task].order)})


def carry(session: Session, carried: Sequence[Carried], carriers: Sequence[int], hands: Hands) -> None:
    """The members wait in their carriers; they are leased no longer."""
    for one, carrier in zip(carried, carriers, strict=True):
        for member in one.members:
            session.count(hands[member].route, TaskState.PROCESSING, -1)
            session.count(hands[member].route, TaskState.WAITING, 1)
            session.leases.drop(member)
        session.execute_many(CARRY, [(carrier, session.now, member) for member in one.members])


def end_members(session: Session, carrier: int, state: TaskState, reason: str) -> None:
    """All that still wait in a carrier come to the same end."""
    routes = session.all(f"SELECT route, count(*) {MEMBERS} GROUP BY route", (carrier,))
    orders = session.all(f"SELECT DISTINCT route, ord {MEMBERS} AND ord IS NOT NULL", (carrier,))
    session.execute(END_MEMBERS, (CODES[state], session.now, reason, carrier))
    for route, members in routes:
        session.count(route, TaskState.WAITING, -members)
        session.count(route, state, members)
    take_turns(session, orders)


def _row(session: Session, one: Settled) -> Row:
    ended = one.state in ENDS
    if one.state is TaskState.PROCESSING:
        raise StoreError(f"task {one.task} cannot be settled as processing; it can end, wait or be new")
    queue = NOWHERE if ended else DUE if one.due > 0 else READY
    if not ended:
        session.news = True
    return CODES[one.state], queue, one.due, one.uncounted, session.now, one.reason, ended, one.task


def _carrier_ended(session: Session, one: Settled) -> None:
    if one.carried and one.state in ENDS:
        end_members(session, one.task, one.state, one.reason)
    elif one.carried:
        raise StoreError(f"task {one.task} does not end as {one.state}, so those that go in it cannot end with it")
    elif one.state in ENDS and session.one(f"SELECT 1 {MEMBERS} LIMIT 1", (one.task,)):
        raise StoreError(f"task {one.task} cannot end while tasks go in it; settle them before, or all with it")
