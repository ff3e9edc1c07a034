"""Everything that hears of what happens, in one value: counts, prices, spans."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from types import TracebackType
from typing import Protocol, Self

from connector.model import JSON, Outcome
from connector.observing.genai import Told, answered, asked, kind_of, model_asked, span_name
from connector.observing.instruments import NO_INSTRUMENTS, Instruments, instruments
from connector.observing.metrics import Metrics
from connector.observing.otlp import TelemetryLike, tracing
from connector.observing.prices import Cost, Prices
from connector.observing.tracing import NO_TRACING, SILENCE, Attributes, Span, Tracing

__all__ = ["Observer", "Watched"]

Redact = Callable[[str], str]


class Telemetry(TelemetryLike, Protocol):
    """What a configuration says of telemetry."""

    @property
    def bodies(self) -> bool: ...


class Observer:
    """Hears of tasks and calls, counts them, and tells whoever is configured to hear.

    Args:
        metrics: what counts.
        prices: what models cost.
        tracing: where spans are told.
        told: where calls are told one by one.
        bodies: what hides secrets in bodies; given when spans hold them.
    """

    def __init__(
        self,
        metrics: Metrics | None = None,
        prices: Prices | None = None,
        tracing: Tracing = NO_TRACING,
        told: Instruments = NO_INSTRUMENTS,
        bodies: Redact | None = None,
    ) -> None:
        self.metrics = metrics or Metrics()
        self.prices = prices or Prices({})
        self.tracing = tracing
        self._told = told
        self._bodies = bodies

    @classmethod
    def of(cls, telemetry: Telemetry, prices: Prices, redact: Redact) -> Self:
        """What a configuration asks for."""
        metrics = Metrics(prices.currency)
        told = instruments(telemetry, metrics)
        return cls(metrics, prices, tracing(telemetry, redact), told, redact if telemetry.bodies else None)

    def task(self, route: str, task: int, *, attempt: int = 1, trace: str = "") -> AbstractContextManager[Span]:
        """A span around an attempt of a task, in the trace that the task came with."""
        about: Attributes = {"connector.route": route, "connector.task": task, "connector.attempt": attempt}
        return self.tracing.span(f"task {route}", about, parent=trace, role="consumer")

    def call(
        self, *, client: str, operation: str, method: str = "", path: str = "", payload: JSON = None, route: str = "",
        tier: str = "",
    ) -> Watched:  # fmt: skip
        """A span around a call, which is to be told what the call came to.

        Args:
            client: whom it goes through.
            operation: what is called, by its name.
            method: as on the wire.
            path: as on the wire.
            payload: what is sent.
            route: for whose task.
            tier: `batch` for what goes through a batch; else the answer's own counts.
        """
        kind = kind_of(method, path, operation)
        return Watched(self, kind, client, operation, route, payload, tier)

    def begun(self, watched: Watched) -> AbstractContextManager[Span]:
        """The span of a call, with what is known before it."""
        if self.tracing is NO_TRACING:
            return NO_TRACING.span("")
        about: Told = {"connector.route": watched.route or None, "connector.operation": watched.operation}
        about |= asked(watched.kind, watched.client, watched.payload, self._bodies)
        return self.tracing.span(span_name(watched.kind, watched.payload), about, role="call")

    def ended(self, watched: Watched, span: Span, outcome: Outcome, seconds: float) -> Cost:
        """Counts a call that came to its end; what it used and cost."""
        cost = self.prices.of(outcome.body, model=model_asked(watched.payload), tier=watched.tier)
        self.metrics.called(
            client=watched.client, operation=watched.operation, state=outcome.state.value, status=outcome.status,
            seconds=seconds, route=watched.route, model=cost.model, usage=cost.usage, cost=cost.amount,
        )  # fmt: skip
        self._told.called(watched.kind, seconds, cost, "" if outcome.ok else str(outcome.status or outcome.state.value))
        if span.heard:
            span.set(answered(outcome, cost, self._bodies))
            if not outcome.ok:
                span.fail(outcome.sentence())
        return cost

    def close(self) -> None:
        """Tells what is still to be told."""
        self.tracing.close()
        self._told.close()


class Watched:
    """A call under way, within a `with` block."""

    def __init__(
        self, observer: Observer, kind: str, client: str, operation: str, route: str, payload: JSON, tier: str
    ) -> None:
        self._observer = observer
        self.kind, self.client, self.operation, self.route = kind, client, operation, route
        self.payload, self.tier = payload, tier
        self._around = observer.begun(self)
        self._span: Span = SILENCE
        self._began = time.perf_counter()

    def __enter__(self) -> Self:
        self._span = self._around.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._around.__exit__(kind, error, trace)

    def end(self, outcome: Outcome) -> Cost:
        """What it came to; to be said once."""
        return self._observer.ended(self, self._span, outcome, time.perf_counter() - self._began)
