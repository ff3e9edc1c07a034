"""When a task is attempted again, and who must act before."""

from __future__ import annotations

from typing import TYPE_CHECKING

from connector.delivery.budget import OVER_BUDGET
from connector.delivery.context import DeliveryContext
from connector.delivery.route_names import parent_of
from connector.engine import Task, TaskState
from connector.http.policy import Actor
from connector.http.wait_hints import parse_retry_after
from connector.model import State
from connector.pipeline.decisions import AttemptEnded, CallResult, NextStep, decide, final_state
from connector.publishers.intent import BLOCKED
from connector.resilience import Backoff

if TYPE_CHECKING:
    from connector.config.models import Route

__all__ = ["end_after"]

RESTS = Backoff(1.0, 60.0)
"""Seconds until a task is looked at again that could not be tried, at first and at most."""


def end_after(seen: CallResult, reason: str, task: Task, settings: Route, shared: DeliveryContext) -> AttemptEnded:
    """Return the state of a task after a call that is not done."""
    then = decide(seen)
    exhausted = then is NextStep.RETRY and task.attempts >= settings.attempts
    if exhausted or then in (NextStep.FAIL, NextStep.HOLD):
        return AttemptEnded(final_state(seen), reason, seen=seen)
    due = shared.wall() + _wait(then, seen, task, settings, shared)
    who = _who_acts(seen, shared, parent_of(task.route)[0]) if then is NextStep.REST else ""
    return AttemptEnded(TaskState.WAITING, reason, due=due, uncounted=then is NextStep.REST, seen=seen, who=who)


def _who_acts(seen: CallResult, shared: DeliveryContext, route: str) -> str:
    """Return who must act before a call that could not be tried can be; empty where waiting may be enough."""
    if seen.outcome.action == OVER_BUDGET:
        budget = shared.budget(route)
        return "" if budget is None or budget.waits_for_calls else Actor.USER
    pause = shared.breakers.of(seen.target).pause if seen.target else None
    if seen.outcome.action in (BLOCKED, "pause"):
        return Actor.HERE if seen.outcome.action == BLOCKED else Actor.USER
    if pause is not None:
        return pause.who
    return Actor.NETWORK if seen.target else ""


def _wait(then: NextStep, seen: CallResult, task: Task, settings: Route, shared: DeliveryContext) -> float:
    chance = shared.timing.chance()
    if then is NextStep.LOOK:
        return RESTS.first
    budget = shared.budget(parent_of(task.route)[0]) if seen.outcome.action == OVER_BUDGET else None
    if budget is not None:
        return max(budget.known_rest, RESTS.first)
    if then is NextStep.REST:
        vain = sum(call.state == State.NOT_SENT for call in task.calls)
        rests = shared.breakers.of(seen.target).rests if seen.target else 0.0
        return rests or RESTS.delay(vain, chance)
    hint = parse_retry_after(seen.outcome.headers)
    return Backoff(settings.retry_delay, settings.max_delay).delay(task.attempts - 1, chance, hint)
