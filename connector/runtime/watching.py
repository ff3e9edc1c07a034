"""What metrics and traces hear of a run."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager

from connector.engine import Task
from connector.model import Outcome
from connector.observing.genai import model_asked
from connector.observing.observer import Observer
from connector.observing.tracing import NO_TRACING
from connector.publishers import CallIntent
from connector.routes.delivering.desk import Watch

__all__ = ["beginning", "spans", "watching"]


def watching(observer: Observer) -> Watch:
    """Tells an observer of every call that was made."""

    def watch(route: str, intent: CallIntent, outcome: Outcome) -> None:
        sent = intent.call
        cost = observer.prices.of(outcome.body, model=model_asked(sent.request.get("payload") if sent else None))
        observer.metrics.called(
            client=intent.target,
            operation=intent.operation,
            state=outcome.state.value,
            seconds=sum(attempt.seconds + attempt.waited for attempt in outcome.attempts),
            status=outcome.status,
            route=route,
            model=cost.model,
            usage=cost.usage,
            cost=cost.amount,
        )

    return watch


def spans(observer: Observer) -> Callable[[str, Task], AbstractContextManager[object]] | None:
    """A span around each attempt; None when nobody hears of it."""
    if observer.tracing is NO_TRACING:
        return None
    return lambda route, task: observer.task(route, task.id, attempt=task.attempts, trace=task.trace)


def beginning(observer: Observer) -> Callable[[str], str]:
    """Begins a trace for each document that is accepted; empty when nobody hears of it."""

    def begin(route: str) -> str:
        if observer.tracing is NO_TRACING:
            return ""
        with observer.tracing.span(f"accept {route}", {"connector.route": route}, role="producer") as span:
            return span.traceparent

    return begin
