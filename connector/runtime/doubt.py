"""A call that may have taken effect, and a person who knows that it did."""

from __future__ import annotations

from connector.engine import CallEnd, CallRecord, Store
from connector.model import JSON, State

__all__ = ["BY_HAND", "confirm_call"]

BY_HAND = "by_hand"
"""The member of an outcome that says how a person knows it."""
OK = 200


async def confirm_call(store: Store, call: CallRecord, answer: JSON, note: str, at: float) -> bool:
    """Take a call for done, with what is known of its answer, and let its task go on from there.

    The task's next attempt asks for the same, finds the call done in the journal, and passes the answer on; nothing is
    sent for it again. Return whether the task was still in doubt.
    """
    outcome: JSON = {
        "status": OK,
        "headers": {},
        "body": answer,
        "request_id": None,
        BY_HAND: note or "a person said that it was done",
    }
    end = CallEnd(task=call.task, attempt=call.attempt, number=call.number, ended=at, state=State.DONE, outcome=outcome)
    return await store.confirm(end)
