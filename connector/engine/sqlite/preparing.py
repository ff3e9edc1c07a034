"""A change with all its JSON as bytes: what cannot be written is refused where it was asked, not among others."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from operator import attrgetter

import orjson

from connector.documents import check, dump
from connector.engine.change import Change
from connector.model import JSON

__all__ = ["KINDS", "Prepared", "prepared"]

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
