"""Calls that may have taken effect: what is known of them, and the verdicts of people."""

from __future__ import annotations

from collections.abc import Sequence

from connector.delivery.call_records import find_doubtful
from connector.documents import dump
from connector.engine import CallRecord, Task, TaskState
from connector.runtime.doubt import confirm_call
from connector.studio.call_prices import price_repeat
from connector.studio.context import StudioContext
from connector.studio.problems import Detail, Refused
from connector.studio.schemas.base import as_time
from connector.studio.schemas.unknown import Doubt, DoubtfulCall, SettleRequest
from connector.studio.shortener import Shortener
from connector.studio.task_actions import retry_task, skip_task
from connector.studio.task_views import PREFIX, find_prices, show_call

__all__ = ["settle", "show_doubt"]


def show_doubt(context: StudioContext, task: Task) -> Doubt:
    """Return a task in doubt with the calls that may have taken effect."""
    shortener, prices = Shortener(f"{PREFIX}/tasks/{task.id}"), find_prices(context)
    calls = find_doubtful(task.calls, task.retried)
    return Doubt(
        id=task.id,
        route=task.route,
        key=str(context.redact(task.key)),
        reason=str(context.redact(task.reason)),
        created=as_time(task.created),
        updated=as_time(task.updated),
        document=shortener.shorten(context.redact(task.document), "document", "document"),
        calls=[
            DoubtfulCall(
                **dict(show_call(context, call, shortener, prices, settled=False)),
                repeat_cost=price_repeat(prices, call),
                request_bytes=len(dump(call.request)),
            )
            for call in calls
        ],
        can_be_done=len(calls) == 1,
        cut=shortener.cut,
    )


async def settle(context: StudioContext, task: Task, given: SettleRequest) -> None:
    """Do what a person has decided; raise Refused when the task is in doubt no longer."""
    if task.state is not TaskState.UNKNOWN:
        raise _refuse_settled(task)
    if given.verdict != "done" and (given.answer is not None or given.attempt is not None or given.number is not None):
        wrong = Detail(where="body", found=f"an answer or a call with the verdict {given.verdict}", allowed="none")
        raise Refused(422, "only what was done has an answer", "leave it out, or say done", errors=[wrong])
    if given.verdict == "repeat":
        await retry_task(context, task, repeat_unknown=True)
    elif given.verdict == "skip":
        await skip_task(context, task, str(context.redact(given.reason or "skipped by hand")))
    else:
        await _confirm(context, task, given)


async def _confirm(context: StudioContext, task: Task, given: SettleRequest) -> None:
    call = _choose(find_doubtful(task.calls, task.retried), task, given)
    if context.redact(given.answer) != given.answer:
        wrong = Detail(where="body.answer", found="a secret of the configuration", allowed="an answer without secrets")
        raise Refused(422, "the answer holds a secret, and secrets are not kept", "take it out", errors=[wrong])
    note = str(context.redact(given.reason))
    if not await confirm_call(context.store, call, given.answer, note, context.clock()):
        now = await context.store.task(task.id)
        raise _refuse_settled(now or task)


def _choose(calls: Sequence[CallRecord], task: Task, given: SettleRequest) -> CallRecord:
    fitting = [call for call in calls if given.attempt in (None, call.attempt) and given.number in (None, call.number)]
    if len(fitting) == 1:
        return fitting[0]
    listed = ", ".join(f"{call.operation} ({call.attempt}, {call.number})" for call in calls) or "none"
    wrong = Detail(where="body.attempt, body.number", found=f"{len(fitting)} calls", allowed=f"one of: {listed}")
    if not calls:
        raise Refused(
            409, f"no call of task {task.id} is in doubt: it is held for another reason", "repeat it, or skip it"
        )
    raise Refused(422, "which call was done is not clear", "name its attempt and number", errors=[wrong])


def _refuse_settled(task: Task) -> Refused:
    return Refused(
        409,
        f"task {task.id} is {task.state.value} now: it is in doubt no longer",
        "look at it as it is now",
        kind="moved",
    )
