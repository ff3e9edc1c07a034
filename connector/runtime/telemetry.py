"""Metrics and traces of a run."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager

from connector.delivery.context import Watch
from connector.engine import Task
from connector.model import Outcome
from connector.publishers import CallIntent
from connector.telemetry.observer import Observer
from connector.telemetry.tracing import NO_TRACING

__all__ = ["observe_calls", "start_spans", "start_traces"]


def observe_calls(observer: Observer) -> Watch:
    """Return what records every call that was made."""

    def observe(route: str, intent: CallIntent, outcome: Outcome) -> None:
        sent = intent.call
        observer.record_call(
            outcome,
            sum(attempt.seconds + attempt.waited for attempt in outcome.attempts),
            client=intent.target,
            operation=intent.operation,
            method=sent.wire.method if sent else "",
            path=sent.wire.path if sent else "",
            payload=sent.request.get("payload") if sent else None,
            route=route,
        )

    return observe


def start_spans(observer: Observer) -> Callable[[str, Task], AbstractContextManager[object]] | None:
    """Return what opens a span around each attempt; None without tracing."""
    if observer.tracing is NO_TRACING:
        return None
    return lambda route, task: observer.task_span(route, task.id, attempt=task.attempts, traceparent=task.trace)


def start_traces(observer: Observer) -> Callable[[str], str]:
    """Return what starts a trace for each accepted document and gives its parent; empty without tracing."""

    def start(route: str) -> str:
        if observer.tracing is NO_TRACING:
            return ""
        with observer.tracing.span(f"accept {route}", {"connector.route": route}, kind="producer") as span:
            return span.traceparent

    return start
