"""Count and trace the tasks and calls of a process."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from typing import Protocol

from connector.model import JSON, Outcome, members
from connector.telemetry.costs import NO_COST, Cost
from connector.telemetry.genai import Values, describe_outcome, describe_request, name_operation
from connector.telemetry.tracing import NO_TRACING, Attributes, Span, Tracing
from connector.telemetry.usage import find_text

__all__ = ["Counter", "Meters", "Metrics", "Observer"]

Redact = Callable[[str], str]


OWNER_LABELS = ("route", "client", "model")
MAX_MODELS = 500
OTHER_MODEL = "other"
"""Answers name the models, and names are unbounded; beyond this many they are counted together."""


class Counter:
    """A number that only grows, by its labels: a plain dictionary, which exporters read when they want to."""

    def __init__(self, name: str, description: str, labels: Sequence[str] = ()) -> None:
        self.name, self.description, self.labels = name, description, tuple(labels)
        self.values: dict[tuple[str, ...], float] = {}

    def add(self, labels: tuple[str, ...], amount: float = 1) -> None:
        self.values[labels] = self.values.get(labels, 0) + amount

    def total(self) -> float:
        """Return the sum over all labels."""
        return sum(self.values.values())

    def total_by(self, label: str) -> dict[str, float]:
        """Return the sums by one label alone."""
        place = self.labels.index(label)
        totals: dict[str, float] = {}
        for labels, value in self.values.items():
            totals[labels[place]] = totals.get(labels[place], 0) + value
        return totals


class Metrics:
    """The counters of one process; costs are in one currency."""

    def __init__(self, currency: str = "USD") -> None:
        self.currency = currency
        self.calls = Counter(
            "connector_calls", "Calls, by what they came to.", ("route", "client", "operation", "state", "status")
        )
        self.tokens = Counter("connector_tokens", "Tokens that answers tell of.", (*OWNER_LABELS, "kind"))
        self.cost = Counter("connector_cost", f"Cost of answers by the configured prices, in {currency}.", OWNER_LABELS)
        self.unpriced = Counter("connector_unpriced_calls", "Calls that used a model without a price.", OWNER_LABELS)
        self.accepted = Counter("connector_accepted", "Documents that became tasks.", ("route",))
        self.duplicates = Counter("connector_duplicates", "Documents that were tasks already.", ("route",))
        self.attempts = Counter(
            "connector_attempts", "Attempts of tasks, by the state that they ended in.", ("route", "state")
        )
        self.shadow_stops = Counter(
            "connector_shadow_stops", "Calls that a shadow budget would have stopped.", ("route",)
        )
        self.transports = Counter(
            "connector_transports", "Tasks with a deadline, by the transport that they took.", ("route", "transport")
        )
        self.moved_up = Counter(
            "connector_moved_up", "Batches that were cancelled so that their answers come in time.", ("route",)
        )
        self.in_time = Counter("connector_in_time", "Tasks that ended before their answer was needed.", ("route",))
        self.late = Counter("connector_late", "Tasks that ended after their answer was needed.", ("route",))
        self.saved = Counter(
            "connector_saved", f"What answers cost less than by standard calls, in {currency}.", OWNER_LABELS
        )
        self._models: set[str] = set()

    @property
    def counters(self) -> tuple[Counter, ...]:
        """All of them, in a fixed order."""
        return (
            self.calls, self.tokens, self.cost, self.unpriced, self.accepted, self.duplicates, self.attempts,
            self.shadow_stops, self.transports, self.moved_up, self.in_time, self.late, self.saved,
        )  # fmt: skip

    def count_call(
        self,
        *,
        client: str,
        operation: str,
        state: str,
        status: int | None = None,
        route: str = "",
        cost: Cost = NO_COST,
    ) -> None:
        """Count a call that has ended.

        Args:
            client: the client that made it.
            operation: the name of the operation.
            state: the state of its outcome.
            cost: what it used and cost.
            status: of its answer.
            route: the route whose task it belongs to.
        """
        self.calls.add((route, client, operation, state, str(status or "")))
        self.count_usage(route, client, cost)

    def count_usage(self, route: str, client: str, cost: Cost) -> None:
        """Count what a call used and cost, or a request that went out in a batch."""
        usage = cost.usage
        if not usage:
            return
        owner = (route, client, self._bound_name(cost.model))
        self.tokens.add((*owner, "input"), usage.input)
        self.tokens.add((*owner, "cached_input"), usage.cached)
        self.tokens.add((*owner, "output"), usage.output)
        if cost.amount is None:
            self.unpriced.add(owner)
        else:
            self.cost.add(owner, cost.amount)
            if cost.saved > 0:
                self.saved.add(owner, cost.saved)

    def count_attempt(self, route: str, state: str) -> None:
        """Count an attempt by the state that the task is in afterwards."""
        self.attempts.add((route, state))

    def _bound_name(self, model: str) -> str:
        if model not in self._models and len(self._models) >= MAX_MODELS:
            return OTHER_MODEL
        self._models.add(model)
        return model


class Meters(Protocol):
    """What single calls are reported to, beside the counters."""

    def record_call(self, operation: str, seconds: float, cost: Cost, error: str) -> None:
        """Record a call that has ended; `error` is empty when it is done."""
        ...

    def close(self) -> None:
        """Export what is still buffered."""
        ...


class Observer:
    """Counts and traces what happens in one process.

    Args:
        metrics: the counters.
        tracing: the tracer.
        meters: where single calls are reported; nowhere unless given.
        redact_bodies: hides secrets in bodies; given when spans hold bodies.

    Attributes:
        is_tracing: whether anything becomes of spans.
    """

    def __init__(
        self,
        metrics: Metrics | None = None,
        tracing: Tracing = NO_TRACING,
        meters: Meters | None = None,
        redact_bodies: Redact | None = None,
    ) -> None:
        self.metrics = metrics or Metrics()
        self.tracing = tracing
        self.is_tracing = tracing is not NO_TRACING
        self._meters = meters
        self._redact_bodies = redact_bodies

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
        self, outcome: Outcome, seconds: float, cost: Cost, *, client: str, operation: str, method: str = "",
        path: str = "", payload: JSON = None, route: str = "",
    ) -> None:  # fmt: skip
        """Record a call that has just ended.

        Args:
            outcome: of the call.
            seconds: how long it took.
            cost: what it used and cost.
            client: the client that made it.
            operation: the name of the operation.
            method: as on the wire.
            path: as on the wire.
            payload: what was sent.
            route: the route whose task it belongs to.
        """
        model, state = find_text([members(payload)], "model"), outcome.state.value
        self.metrics.count_call(
            client=client, operation=operation, state=state, status=outcome.status, route=route, cost=cost
        )
        if self._meters is None and not self.is_tracing:
            return
        kind = name_operation(method, path, operation)
        if self._meters is not None:
            self._meters.record_call(kind, seconds, cost, "" if outcome.ok else str(outcome.status or state))
        if self.is_tracing:
            attributes: Values = {"connector.route": route or None, "connector.operation": operation}
            attributes |= describe_request(kind, client, payload, self._redact_bodies)
            attributes |= describe_outcome(outcome, cost, self._redact_bodies)
            failure = "" if outcome.ok else outcome.sentence()
            self.tracing.record(f"{kind} {model}" if model else kind, attributes, seconds, failure=failure)

    def close(self) -> None:
        """Export what is still buffered."""
        self.tracing.close()
        if self._meters is not None:
            self._meters.close()
