"""Where a task stands when its attempt has ended."""

from __future__ import annotations

from typing import TYPE_CHECKING

from connector.engine import Task, TaskState
from connector.http.policy import Actor
from connector.http.response_headers import parse_retry_after
from connector.model import Effect, State
from connector.publishers.intent import BLOCKED
from connector.resilience import Backoff
from connector.routes.delivering.deciding import Next, Seen, decide
from connector.routes.delivering.desk import Desk

if TYPE_CHECKING:
    from connector.config.models import Route

__all__ = ["Stopped", "after"]

RESTS = Backoff(1.0, 60.0)
"""Seconds until a task is looked at again that could not be tried, at first and at most."""


class Stopped(Exception):
    """An attempt goes no further: where the task stands then, and the call that led there, if one did."""

    def __init__(
        self,
        state: TaskState,
        reason: str = "",
        *,
        due: float = 0.0,
        uncounted: bool = False,
        seen: Seen | None = None,
        who: str = "",
    ) -> None:
        super().__init__(reason)
        self.state = state
        self.reason = reason
        self.due = due
        self.uncounted = uncounted
        self.seen = seen
        self.who = who


def after(seen: Seen, reason: str, task: Task, settings: Route, desk: Desk) -> Stopped:
    """Where a task stands after a call that is not done."""
    then = decide(seen)
    if then is Next.FAIL:
        return Stopped(TaskState.FAILED, reason, seen=seen)
    if then is Next.HOLD:
        return Stopped(TaskState.UNKNOWN, reason, seen=seen)
    if then is Next.RETRY and task.attempts >= settings.attempts:
        is_open = seen.outcome.state is State.UNKNOWN and seen.effect is not Effect.NONE
        return Stopped(TaskState.UNKNOWN if is_open else TaskState.FAILED, reason, seen=seen)
    due = desk.wall() + _wait(then, seen, task, settings, desk)
    who = _who_acts(seen, desk) if then is Next.REST else ""
    return Stopped(TaskState.WAITING, reason, due=due, uncounted=then is Next.REST, seen=seen, who=who)


def _who_acts(seen: Seen, desk: Desk) -> str:
    """Return who must act before a call that could not be tried can be; empty where waiting may be enough."""
    pause = desk.gates.of(seen.target).pause if seen.target else None
    if seen.outcome.action in (BLOCKED, "pause"):
        return Actor.HERE if seen.outcome.action == BLOCKED else Actor.USER
    if pause is not None:
        return pause.who
    return Actor.NETWORK if seen.target else ""


def _wait(then: Next, seen: Seen, task: Task, settings: Route, desk: Desk) -> float:
    chance = desk.timing.chance()
    if then is Next.LOOK:
        return RESTS.first
    if then is Next.REST:
        vain = sum(call.state == State.NOT_SENT for call in task.calls)
        rests = desk.gates.of(seen.target).rests if seen.target else 0.0
        return rests or RESTS.delay(vain, chance)
    hint = parse_retry_after(seen.outcome.headers)
    return Backoff(settings.retry_delay, settings.max_delay).delay(task.attempts - 1, chance, hint)
