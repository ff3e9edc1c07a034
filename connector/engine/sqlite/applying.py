"""One change, done in a transaction that others may share."""

from __future__ import annotations

from connector.engine.change import Change, Committed
from connector.engine.sqlite.accepting import accept, start
from connector.engine.sqlite.hands import hands
from connector.engine.sqlite.journal import end, intend
from connector.engine.sqlite.outbox import append, forget
from connector.engine.sqlite.preparing import Prepared
from connector.engine.sqlite.session import Session
from connector.engine.sqlite.settling import carry, settle
from connector.engine.sqlite.values import put_cursors, put_records, spend

__all__ = ["applied"]


def applied(session: Session, prepared: Prepared) -> Committed:
    """Does all of a change; an error before anything is written leaves the transaction as it was."""
    change = prepared.change
    held = hands(session, change)
    accepted = accept(session, change.accept, prepared.documents) if change.accept else ()
    carriers = start(session, change.carry, prepared.carriers) if change.carry else ()
    if carriers:
        carry(session, change.carry, carriers, held)
    if change.intend:
        intend(session, change.intend, prepared.requests, held)
    if change.end:
        end(session, change.end, prepared.ends, held)
    if change.settle:
        settle(session, change.settle, held)
    _beside(session, change, prepared)
    return Committed(accepted, carriers)


def _beside(session: Session, change: Change, prepared: Prepared) -> None:
    """What is kept beside the tasks."""
    if prepared.cursors:
        put_cursors(session, prepared.cursors)
    if prepared.records:
        put_records(session, prepared.records)
    if change.lines:
        append(session, change.lines)
    if change.written:
        forget(session, change.written)
    if change.spent:
        spend(session, change.spent)
