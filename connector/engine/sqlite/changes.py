"""One change, done in a transaction that others may share."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from operator import attrgetter

import orjson

from connector.documents import check, dump
from connector.engine.change import Change, CommitResult
from connector.engine.sqlite.journal import append, end, forget, intend, put_cursors, put_records, spend
from connector.engine.sqlite.queue import hands
from connector.engine.sqlite.session import Session
from connector.engine.sqlite.tasks import accept, carry, settle, start
from connector.model import JSON

__all__ = ["KINDS", "Prepared", "applied", "prepared"]


def applied(session: Session, prepared: Prepared) -> CommitResult:
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
    return CommitResult(accepted, carriers)


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


KINDS = ("accept", "carry", "intend", "end", "settle", "cursors", "records", "lines", "written", "spent")
"""What a change may do, in the order in which it is done."""
PARTS = attrgetter(*KINDS)


@dataclass(slots=True)
class Prepared:
    """A change, and beside each of its parts that hold JSON the bytes of it."""

    change: Change
    kinds: Sequence[str]
    documents: Sequence[bytes]
    carriers: Sequence[bytes]
    requests: Sequence[bytes | None]
    ends: Sequence[bytes | None]
    cursors: Sequence[tuple[str, bytes | None]]
    records: Sequence[tuple[str, str, bytes | None]]


def prepared(change: Change) -> Prepared:
    """The change as it is written, or InvalidDocument saying what in it is not JSON."""
    # A change seldom has more than two of these, and most changes are of one task: nothing is made for the others.
    return Prepared(
        change,
        [kind for kind, part in zip(KINDS, PARTS(change), strict=True) if part],
        [dump(task.document) for task in change.accept] if change.accept else (),
        [dump(carried.carrier.document) for carried in change.carry] if change.carry else (),
        [_bytes(call.request) for call in change.intend] if change.intend else (),
        [_bytes(end.outcome) for end in change.end] if change.end else (),
        [(name, _bytes(value)) for name, value in change.cursors.items()] if change.cursors else (),
        [(*spot, _bytes(value)) for spot, value in change.records.items()] if change.records else (),
    )


def _bytes(value: JSON) -> bytes | None:
    """What was read from somewhere as JSON is written faster than what must be looked at again."""
    if value is None:
        return None
    try:
        return orjson.dumps(value)
    except TypeError:
        check(value)
        raise
