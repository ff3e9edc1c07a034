"""Which calls of a task may have taken effect, once or more often than was meant, and how its reason says so."""

from __future__ import annotations

from collections.abc import Sequence

from connector.engine import CallRecord, Store, Task
from connector.model import Effect, State, items, members
from connector.routes.delivering.deciding import may_have_acted

__all__ = ["MISSING", "NOTES", "carried_notes", "in_doubt", "listed", "notes", "repeated"]

NOTES = "notes of gathered tasks"
"""The space of records that say what must not be silent of tasks that go on together, by the first of them."""
MISSING = "missing"
"""The member of an outcome that says that a complete list did not show what the call would have made."""


def in_doubt(calls: Sequence[CallRecord], retried: int = 0) -> list[CallRecord]:
    """The calls that may have taken effect although none like them is done; those before a retry by hand are settled.

    Args:
        calls: of one task, the oldest first.
        retried: how many of them a person has looked at.
    """
    done = {call.fingerprint for call in calls if call.state == State.DONE}
    return [call for call in calls[retried:] if _may_have_acted(call) and call.fingerprint not in done]


def repeated(calls: Sequence[CallRecord], retried: int = 0) -> list[CallRecord]:
    """The costly calls that may have taken effect and after which the same, or the like of it, was sent again."""
    return [
        call
        for place, call in enumerate(calls)
        if _is_costly(call)
        and _may_have_acted(call)
        and any(_repeats(later, call, alike=place >= retried) for later in calls[place + 1 :])
    ]


def notes(calls: Sequence[CallRecord], retried: int = 0) -> str:
    """What must not be silent of calls that may have taken effect more than once."""
    again = repeated(calls, retried)
    vain = [call for call in again if _is_missing(call)]
    seen = [call for call in again if not _is_missing(call)]
    found: list[str] = []
    if seen:
        found.append(f"sent again although it may have taken effect before: {listed(seen)}")
    if vain:
        found.append(f"looked for in vain and sent again, so it may have taken effect twice: {listed(vain)}")
    return "; ".join(found)


async def carried_notes(store: Store, carrier: Task) -> str:
    """What must not be silent of the tasks that go on in this one."""
    kept = members(await store.record(NOTES, str(carrier.source)))
    return "; ".join(str(note) for note in items(kept.get("notes")))


def listed(calls: Sequence[CallRecord]) -> str:
    """Calls in words."""
    return ", ".join(f"{call.operation} in attempt {call.attempt}" for call in calls)


def _repeats(later: CallRecord, call: CallRecord, *, alike: bool) -> bool:
    """Whether a call went out after another and asked for the same, or in a later attempt for the like of it."""
    if later.state == State.NOT_SENT and not _is_missing(later):
        return False
    same = later.fingerprint == call.fingerprint
    return same or (alike and later.operation == call.operation and later.attempt > call.attempt)


def _may_have_acted(call: CallRecord) -> bool:
    acted = may_have_acted(call.state, call.outcome) or _is_missing(call)
    return call.effect != Effect.NONE and acted


def _is_missing(call: CallRecord) -> bool:
    return members(call.outcome).get(MISSING) is True


def _is_costly(call: CallRecord) -> bool:
    return not Effect(call.effect).repeatable
