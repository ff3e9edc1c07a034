"""What people do to tasks: retry, skip and remove, one or many; never more than they were told."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Literal

from connector.engine import ENDS, Filter, Task, TaskState
from connector.engine.feed import TaskRow
from connector.intake.dead_letters import confirmed_letter, is_dead_letter
from connector.runtime.doubt import repeat_unknown
from connector.studio.call_prices import price_calls
from connector.studio.context import StudioContext
from connector.studio.problems import Detail, Refused
from connector.studio.schemas.base import Price
from connector.studio.schemas.tasks import MOST_IDS, BulkAnswer, BulkRequest, FilterBody
from connector.studio.task_queries import make_filter
from connector.studio.task_views import find_prices

__all__ = ["Action", "act_on_many", "find_task", "forecast", "retry_task", "skip_task"]

Action = Literal["retry", "skip", "purge"]
FITTING: Mapping[Action, frozenset[TaskState]] = {
    "retry": frozenset({TaskState.FAILED, TaskState.SKIPPED, TaskState.UNKNOWN, TaskState.FINISHED}),
    "skip": frozenset({TaskState.NEW, TaskState.WAITING, TaskState.FAILED, TaskState.UNKNOWN}),
    "purge": ENDS,
}
UNASKED: Mapping[Action, frozenset[TaskState]] = {
    "retry": frozenset({TaskState.FINISHED}),
    "skip": frozenset(),
    "purge": frozenset({TaskState.UNKNOWN}),
}
"""States that are meant only where the filter names them."""
WHEN: Mapping[Action, str] = {
    "retry": "it can be retried once it has ended",
    "skip": "it can be skipped while it is new, waiting, failed or unknown",
    "purge": "it can be removed once it has ended",
}
PENDING = frozenset({TaskState.NEW, TaskState.WAITING})
"""States of tasks that are attempted without anybody's doing."""
AT_ONCE = 500
"""Tasks in one transaction: after a kill, whole transactions are done, and the others are not."""
PATIENCE = 20.0
"""Seconds for which the search index is waited for, before anything is done to many."""
SAMPLE = 50
"""Finished tasks of a route whose cost tells what another may cost."""


async def find_task(context: StudioContext, number: int) -> Task:
    """Return a task with its calls; raise Refused when there is none."""
    task = await context.store.task(number)
    if task is None:
        raise Refused(
            404, f"there is no task {number}", "list the tasks that there are; old ones may have been removed"
        )
    return task


async def retry_task(context: StudioContext, task: Task, document: object = None, *, repeat_unknown: bool) -> None:
    """Make a task new again, as it came or with another document; raise Refused when it cannot be."""
    if task.state is TaskState.UNKNOWN and not repeat_unknown:
        raise Refused(
            409,
            f"task {task.id} is unknown: a call may have taken effect, and a repeat may be paid for twice",
            f"look whether it did, then settle it: POST /unknown/{task.id}/settle, or retry with `repeat_unknown`",
            kind="unknown",
        )
    if task.state is TaskState.UNKNOWN and document is None and is_dead_letter(task.document):
        document = confirmed_letter(task.document)
    done = 0
    if task.state in FITTING["retry"]:
        done = await context.store.retry(Filter(ids=[task.id], states=[task.state]), document=document)
    if not done:
        raise await _explain_unfit(context, task.id, "retry")


async def skip_task(context: StudioContext, task: Task, reason: str) -> None:
    """Skip a task; raise Refused when it cannot be."""
    done = 0
    if task.state in FITTING["skip"]:
        done = await context.store.skip(Filter(ids=[task.id], states=[task.state]), _clean(reason))
    if not done:
        raise await _explain_unfit(context, task.id, "skip")


def _clean(reason: str) -> str:
    """Return a reason as every database can keep it."""
    return reason.replace("\0", "").encode(errors="replace").decode()


async def _explain_unfit(context: StudioContext, number: int, action: Action) -> Refused:
    """Return why nothing was done, by the task as it is now: a run or another person may have changed it."""
    task = await find_task(context, number)
    if task.carrier:
        text = f"task {number} goes in task {task.carrier} now, and ends with it"
    elif task.state is TaskState.PROCESSING:
        text = f"task {number} is processing: a run is at work on it; {WHEN[action]}"
    elif task.state in FITTING[action]:
        text = f"task {number} was changed meanwhile; it is {task.state.value} now"
    else:
        text = f"task {number} is {task.state.value}; {WHEN[action]}"
    return Refused(409, text, "look at it as it is now", kind="moved")


@dataclass(slots=True)
class _Selection:
    """The tasks of a filter that an action is for.

    Attributes:
        ids: theirs.
        routes: how many are of which route.
        left_out: the others, by state.
        pending: those of `ids` that wait for an attempt.
    """

    ids: list[int] = field(default_factory=list[int])
    routes: dict[str, int] = field(default_factory=dict[str, int])
    left_out: dict[TaskState, int] = field(default_factory=dict[TaskState, int])
    pending: set[int] = field(default_factory=set[int])


async def forecast(context: StudioContext, action: Action, given: BulkRequest) -> BulkAnswer:
    """Return to how many tasks an action would be done, and what it may cost."""
    selection = await _select(context, action, given)
    cost = await _estimate(context, selection.routes) if action == "retry" else None
    return BulkAnswer(count=len(selection.ids), cost=cost, left_out=selection.left_out)


async def act_on_many(context: StudioContext, action: Action, given: BulkRequest) -> BulkAnswer:
    """Do an action to the tasks of a filter; raise Refused, with nothing done, when they are more than expected."""
    if given.expected is None:
        missing = Detail(where="body.expected", found="nothing", allowed="the count of the dry run")
        raise Refused(422, "how many tasks are expected is not said", "ask with `dry_run` first", errors=[missing])
    selection = await _select(context, action, given)
    if len(selection.ids) > given.expected:
        raise Refused(
            409,
            f"{len(selection.ids):,} tasks fit now, and {given.expected:,} were expected; nothing was done",
            "count again with `dry_run`, and decide anew",
            kind="moved",
            extra={"count": len(selection.ids)},
        )
    if action == "skip":
        return await _skip_many(context, selection, given)
    done = 0
    for at in range(0, len(selection.ids), AT_ONCE):
        done += await _act(context, action, selection.ids[at : at + AT_ONCE], given)
    return BulkAnswer(count=done, cost=None, left_out=selection.left_out)


async def _skip_many(context: StudioContext, selection: _Selection, given: BulkRequest) -> BulkAnswer:
    """Skip tasks by the state that they were selected in: one that has moved on meanwhile is left as it is.

    A retry undoes it for those that were to be attempted anyway; of others it would be another attempt.
    """
    reason = _clean(given.reason) or "skipped by hand"
    pending = [one for one in selection.ids if one in selection.pending]
    ended = [one for one in selection.ids if one not in selection.pending]
    done = 0
    for ids, states in ((pending, PENDING), (ended, FITTING["skip"] - PENDING)):
        for at in range(0, len(ids), AT_ONCE):
            done += await context.store.skip(Filter(ids=ids[at : at + AT_ONCE], states=sorted(states)), reason)
    undo = pending if len(pending) <= MOST_IDS else []
    return BulkAnswer(count=done, cost=None, left_out=selection.left_out, undo=undo)


async def _act(context: StudioContext, action: Action, ids: Sequence[int], given: BulkRequest) -> int:
    states = sorted(_find_states(action, given))
    if action == "purge":
        return await context.store.purge(Filter(ids=ids, states=states), most=len(ids))
    done = await context.store.retry(Filter(ids=ids, states=[one for one in states if one is not TaskState.UNKNOWN]))
    if TaskState.UNKNOWN in states:
        done += await repeat_unknown(context.store, Filter(ids=ids))
    return done


def _find_states(action: Action, given: BulkRequest) -> frozenset[TaskState]:
    """Return the states of tasks that an action is for."""
    asked = frozenset(given.filter.state)
    states = FITTING[action] & asked if asked else FITTING[action] - UNASKED[action]
    return states - {TaskState.UNKNOWN} if action == "retry" and not given.repeat_unknown else states


async def _select(context: StudioContext, action: Action, given: BulkRequest) -> _Selection:
    states, selection = _find_states(action, given), _Selection()
    async with aclosing(_rows(context, given.filter)) as rows:
        async for row in rows:
            if row.state in states:
                selection.ids.append(row.id)
                if row.state in PENDING:
                    selection.pending.add(row.id)
                selection.routes[row.route] = selection.routes.get(row.route, 0) + 1
            else:
                selection.left_out[row.state] = selection.left_out.get(row.state, 0) + 1
    return selection


async def _rows(context: StudioContext, given: FilterBody) -> AsyncGenerator[TaskRow, None]:
    """Yield the tasks that a filter means; ids are looked up, and nothing but route and state narrows them."""
    wanted = make_filter(given, "body.filter")
    if not given.ids:
        if not wanted.narrows and not wanted.routes and not wanted.states:
            wrong = Detail(where="body.filter", found="nothing", allowed="ids, or any condition; all are all states")
            raise Refused(422, "the filter means every task there is", "say which tasks are meant", errors=[wrong])
        if not await context.search.wait_until_current(PATIENCE):
            raise Refused(
                503,
                "the search index is still being made, so nobody can say yet which tasks fit; nothing was done",
                "try again in a while: GET /tasks says in `searched` how far it is",
                headers={"retry-after": "10"},
            )
        async with aclosing(context.search.iterate(wanted)) as rows:
            async for row in rows:
                yield row
        return
    if wanted.narrows:
        wrong = Detail(where="body.filter", found="ids beside other conditions", allowed="ids, route and state")
        raise Refused(422, "ids are given, so nothing else is searched for", "leave one of both out", errors=[wrong])
    for row in await context.store.feed.rows(given.ids):
        if (not given.route or row.route in given.route) and (not given.state or row.state in given.state):
            yield row


async def _estimate(context: StudioContext, routes: Mapping[str, int]) -> Price | None:
    """Return what tasks may cost, as the last finished tasks of their routes did on average."""
    prices, total = find_prices(context), 0.0
    for route, tasks in routes.items():
        ids = await context.search.newest_finished(route, SAMPLE)
        calls = await context.store.feed.calls(ids)
        paid = [price_calls(prices, calls.get(task, ())) for task in ids]
        if not ids or any(price is not None and price.amount is None for price in paid):
            why = f"no finished task of route {route!r} tells what one costs"
            return Price(amount=None, currency=prices.currency, why=why)
        total += tasks * sum(price.amount or 0.0 for price in paid if price is not None) / len(ids)
    why = "about: what the last finished tasks of the route cost on average"
    return Price(amount=total, currency=prices.currency, why=why) if routes else None
