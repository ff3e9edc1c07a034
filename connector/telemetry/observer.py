"""One value that hears of every task and call: it counts them, prices them and traces them."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Protocol, Self

from connector.model import JSON, Outcome, members
from connector.telemetry.costs import Cost, Prices
from connector.telemetry.genai import Values, describe_outcome, describe_request, name_operation
from connector.telemetry.metrics import Metrics
from connector.telemetry.otlp import Meters, TelemetrySettings, make_meters, make_tracing
from connector.telemetry.tracing import NO_TRACING, Attributes, Span, Tracing
from connector.telemetry.usage import find_text

__all__ = ["Observer"]

Redact = Callable[[str], str]


class _Settings(TelemetrySettings, Protocol):
    @property
    def bodies(self) -> bool: ...


class Observer:
    """Counts, prices and traces what happens in one process.

    Args:
        metrics: the counters.
        prices: what models cost.
        tracing: the tracer.
        meters: where single calls are reported; nowhere unless given.
        redact_bodies: hides secrets in bodies; given when spans hold bodies.

    Attributes:
        is_tracing: whether anything becomes of spans.
    """

    def __init__(
        self,
        metrics: Metrics | None = None,
        prices: Prices | None = None,
        tracing: Tracing = NO_TRACING,
        meters: Meters | None = None,
        redact_bodies: Redact | None = None,
    ) -> None:
        self.metrics = metrics or Metrics()
        self.prices = prices or Prices({})
        self.tracing = tracing
        self.is_tracing = tracing is not NO_TRACING
        self._meters = meters
        self._redact_bodies = redact_bodies

    @classmethod
    def from_settings(cls, settings: _Settings, prices: Prices, redact: Redact) -> Self:
        """Return the observer that a configuration asks for."""
        metrics = Metrics(prices.currency)
        meters = make_meters(settings, metrics)
        return cls(metrics, prices, make_tracing(settings, redact), meters, redact if settings.bodies else None)

    def task_span(
        self, route: str, task: int, *, attempt: int = 1, traceparent: str = ""
    ) -> AbstractContextManager[Span]:
        """Return a span around an attempt of a task, in the trace that the task was accepted with."""
        attributes: Attributes = {"connector.route": route, "connector.task": task, "connector.attempt": attempt}
        return self.tracing.span(f"task {route}", attributes, parent=traceparent, kind="consumer")

    def start_trace(self, route: str) -> str:
        """Start the trace of an accepted document, and return its traceparent; empty without tracing."""
        if not self.is_tracing:
            return ""
        with self.tracing.span(f"accept {route}", {"connector.route": route}, kind="producer") as span:
            return span.traceparent

    def record_call(
        self, outcome: Outcome, seconds: float, *, client: str, operation: str, method: str = "", path: str = "",
        payload: JSON = None, route: str = "", tier: str = "",
    ) -> Cost:  # fmt: skip
        """Record a call that has just ended, and return what it cost.

        Args:
            outcome: of the call.
            seconds: how long it took.
            client: the client that made it.
            operation: the name of the operation.
            method: as on the wire.
            path: as on the wire.
            payload: what was sent.
            route: the route whose task it belongs to.
            tier: the tier that was asked for, where no answer names it.
        """
        model, state = find_text([members(payload)], "model"), outcome.state.value
        cost = self.prices.read_cost(outcome.body, model=model, tier=tier)
        self.metrics.count_call(
            client=client, operation=operation, state=state, status=outcome.status, route=route, model=cost.model,
            usage=cost.usage, cost=cost.amount,
        )  # fmt: skip
        if self._meters is None and not self.is_tracing:
            return cost
        kind = name_operation(method, path, operation)
        if self._meters is not None:
            self._meters.record_call(kind, seconds, cost, "" if outcome.ok else str(outcome.status or state))
        if self.is_tracing:
            attributes: Values = {"connector.route": route or None, "connector.operation": operation}
            attributes |= describe_request(kind, client, payload, self._redact_bodies)
            attributes |= describe_outcome(outcome, cost, self._redact_bodies)
            failure = "" if outcome.ok else outcome.sentence()
            self.tracing.record(f"{kind} {model}" if model else kind, attributes, seconds, failure=failure)
        return cost

    def close(self) -> None:
        """Export what is still buffered."""
        self.tracing.close()
        if self._meters is not None:
            self._meters.close()
