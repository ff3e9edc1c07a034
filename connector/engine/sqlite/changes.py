"""Encode a change before its transaction, and apply it within one that others may share."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from operator import attrgetter

import orjson

from connector.documents import check, dump
from connector.engine.change import Change, CommitResult
from connector.engine.sqlite.journal import (
    add_expenses,
    append_lines,
    forget_lines,
    put_cursors,
    put_records,
    write_ends,
    write_intents,
)
from connector.engine.sqlite.queue import find_leases
from connector.engine.sqlite.session import Session
from connector.engine.sqlite.tasks import accept, carry, settle, start_carriers
from connector.model import JSON

__all__ = ["KINDS", "EncodedChange", "apply_change", "encode_change"]


def apply_change(session: Session, encoded: EncodedChange) -> CommitResult:
    """Apply all of a change; an error before the first write leaves the transaction as it was."""
    change = encoded.change
    held = find_leases(session, change)
    accepted = accept(session, change.accept, encoded.documents) if change.accept else ()
    carriers = start_carriers(session, change.carry, encoded.carriers) if change.carry else ()
    if carriers:
        carry(session, change.carry, carriers, held)
    if change.intend:
        write_intents(session, change.intend, encoded.requests, held)
    if change.end:
        write_ends(session, change.end, encoded.ends, held)
    if change.settle:
        settle(session, change.settle, held)
    _apply_values(session, change, encoded)
    return CommitResult(accepted, carriers)


def _apply_values(session: Session, change: Change, encoded: EncodedChange) -> None:
    """Apply what is kept beside the tasks."""
    if encoded.cursors:
        put_cursors(session, encoded.cursors)
    if encoded.records:
        put_records(session, encoded.records)
    if change.lines:
        append_lines(session, change.lines)
    if change.written:
        forget_lines(session, change.written)
    if change.spent:
        add_expenses(session, change.spent)


KINDS = ("accept", "carry", "intend", "end", "settle", "cursors", "records", "lines", "written", "spent")
"""The parts of a change, in the order in which they are applied."""
PARTS = attrgetter(*KINDS)


@dataclass(slots=True)
class EncodedChange:
    """A change with the bytes of each of its parts that hold JSON."""

    change: Change
    kinds: Sequence[str]
    documents: Sequence[bytes]
    carriers: Sequence[bytes]
    requests: Sequence[bytes | None]
    ends: Sequence[bytes | None]
    cursors: Sequence[tuple[str, bytes | None]]
    records: Sequence[tuple[str, str, bytes | None]]


def encode_change(change: Change) -> EncodedChange:
    """Encode a change; raise InvalidDocument when part of it is not JSON."""
    # Most changes have one or two of these parts, of one task: nothing is built for the others.
    return EncodedChange(
        change,
        [kind for kind, part in zip(KINDS, PARTS(change), strict=True) if part],
        [dump(task.document) for task in change.accept] if change.accept else (),
        [dump(carried.carrier.document) for carried in change.carry] if change.carry else (),
        [_encode(call.request) for call in change.intend] if change.intend else (),
        [_encode(end.outcome) for end in change.end] if change.end else (),
        [(name, _encode(value)) for name, value in change.cursors.items()] if change.cursors else (),
        [(*spot, _encode(value)) for spot, value in change.records.items()] if change.records else (),
    )


def _encode(value: JSON) -> bytes | None:
    """Encode a value that was read as JSON already, and is checked only when that fails."""
    if value is None:
        return None
    try:
        return orjson.dumps(value)
    except TypeError:
        check(value)
        raise
