"""Calls that may have taken effect, and what is done once somebody knows whether they did."""

from __future__ import annotations

from dataclasses import replace

from connector.delivery.call_records import BY_HAND
from connector.engine import CallEnd, CallRecord, Filter, Store, TaskState
from connector.intake.dead_letters import confirmed_letter, is_dead_letter
from connector.model import JSON, State

__all__ = ["confirm_call", "repeat_unknown"]

OK = 200
PAGE = 500


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


async def repeat_unknown(store: Store, wanted: Filter, *, document: JSON = None) -> int:
    """Queue unknown tasks again; a line about an earlier run becomes its document. Return how many there were."""
    unknown = replace(wanted, states=(TaskState.UNKNOWN,))
    count = 0
    for task in await _find_letters(store, unknown) if document is None else ():
        one = replace(unknown, ids=(task,))
        found = await store.task(task)
        if found is not None:
            count += await store.retry(one, document=confirmed_letter(found.document))
    return count + await store.retry(unknown, document=document)


async def _find_letters(store: Store, unknown: Filter) -> list[int]:
    """Return the tasks that are lines about an earlier run."""
    found: list[int] = []
    after = 0
    while True:
        page = await store.tasks(unknown, after=after, limit=PAGE)
        found += [task.id for task in page if is_dead_letter(task.document)]
        if len(page) < PAGE:
            return found
        after = page[-1].id
