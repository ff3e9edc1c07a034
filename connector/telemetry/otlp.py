"""Spans and metrics for an OTLP receiver, through OpenTelemetry's own packages, which are imported only for one."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Protocol

from connector.extras import require_extra
from connector.telemetry.costs import Cost
from connector.telemetry.observer import Counter, Meters, Metrics, Observer
from connector.telemetry.tracing import NO_ATTRIBUTES, NO_TRACING, Attributes, Kind, Span, Tracing
from connector.version import version

if TYPE_CHECKING:
    from opentelemetry.metrics import CallbackOptions, Observation
    from opentelemetry.sdk.metrics import MeterProvider
    from opentelemetry.sdk.metrics.export import MetricReader
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import SpanExporter
    from opentelemetry.trace import Span as OtelSpan
    from opentelemetry.trace import SpanContext, SpanKind

__all__ = [
    "OpenTelemetryMeters", "OpenTelemetryTracing", "TelemetrySettings", "make_meters", "make_observer",
    "make_tracing",
]  # fmt: skip

Redact = Callable[[str], str]
EXTRA = "telemetry"
TIMEOUT = 5.0
"""Seconds that a receiver has to answer."""
MAX_ATTRIBUTE = 16 * 1024
DURATION = "gen_ai.client.operation.duration"
TOKENS = "gen_ai.client.token.usage"
SECONDS = (0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92)
COUNTS = (1, 4, 16, 64, 256, 1024, 4096, 16384, 65536, 262144, 1048576, 4194304, 16777216, 67108864)
"""The buckets that the conventions ask for."""


class TelemetrySettings(Protocol):
    """The part of a configuration that says where spans and metrics go."""

    @property
    def traces(self) -> str | None: ...

    @property
    def metrics(self) -> str | None: ...

    @property
    def service_name(self) -> str: ...


def make_tracing(settings: TelemetrySettings, redact: Redact) -> Tracing:
    """Return the tracer that a configuration asks for."""
    if settings.traces is None:
        return NO_TRACING
    require_extra("opentelemetry.sdk.trace", EXTRA, "telemetry.traces")
    exporters = require_extra("opentelemetry.exporter.otlp.proto.http.trace_exporter", EXTRA, "telemetry.traces")
    exporter = exporters.OTLPSpanExporter(endpoint=settings.traces, timeout=TIMEOUT)
    return OpenTelemetryTracing.to(exporter, _resource(settings.service_name), redact)


def _resource(service: str) -> Resource:
    from opentelemetry.sdk.resources import Resource

    return Resource.create({"service.name": service, "service.version": version()})


class OpenTelemetryTracing:
    """A tracer with a provider of its own; names and attributes are redacted."""

    def __init__(self, provider: TracerProvider, redact: Redact) -> None:
        self._provider = provider
        self._tracer = provider.get_tracer("connector")
        self._redact = redact

    @classmethod
    def to(cls, exporter: SpanExporter, resource: Resource, redact: Redact) -> OpenTelemetryTracing:
        """Return a tracer whose spans go to an exporter in batches, from a thread of its own."""
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor

        provider = TracerProvider(resource=resource, shutdown_on_exit=False)
        provider.add_span_processor(BatchSpanProcessor(exporter))
        return cls(provider, redact)

    @contextmanager
    def span(
        self, name: str, attributes: Attributes = NO_ATTRIBUTES, *, parent: str = "", kind: Kind = "internal"
    ) -> Generator[Span]:
        from opentelemetry.trace import use_span
        from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

        context = TraceContextTextMapPropagator().extract({"traceparent": parent}) if parent else None
        span = self._tracer.start_span(self._redact(name), context, _otel_kind(kind), record_exception=False)
        self._set(span, attributes)
        # An exception's message and traceback may hold secrets: only its redacted message is exported.
        with use_span(span, end_on_exit=True, record_exception=False, set_status_on_exception=False):
            try:
                yield _OpenSpan(_traceparent(span.get_span_context()))
            except Exception as error:
                self._set(span, {"error.type": type(error).__name__})
                self._fail(span, str(error))
                raise

    def record(self, name: str, attributes: Attributes, seconds: float, *, failure: str = "") -> None:
        end = time.time_ns()
        span = self._tracer.start_span(
            self._redact(name), kind=_otel_kind("client"), start_time=end - int(seconds * 1e9), record_exception=False
        )
        self._set(span, attributes)
        if failure:
            self._fail(span, failure)
        span.end(end)

    def current_traceparent(self) -> str:
        from opentelemetry.trace import get_current_span

        return _traceparent(get_current_span().get_span_context())

    def close(self) -> None:
        self._provider.shutdown()

    def _set(self, span: OtelSpan, attributes: Attributes) -> None:
        for name, value in attributes.items():
            if isinstance(value, str):
                span.set_attribute(name, self._redact(value)[:MAX_ATTRIBUTE])
            elif value is not None:
                span.set_attribute(name, value)

    def _fail(self, span: OtelSpan, reason: str) -> None:
        from opentelemetry.trace import Status, StatusCode

        span.set_status(Status(StatusCode.ERROR, self._redact(reason)[:MAX_ATTRIBUTE]))


class _OpenSpan:
    def __init__(self, traceparent: str) -> None:
        self.traceparent = traceparent


def _otel_kind(kind: Kind) -> SpanKind:
    from opentelemetry.trace import SpanKind

    return SpanKind[kind.upper()]


def _traceparent(context: SpanContext) -> str:
    if not context.is_valid:
        return ""
    return f"00-{context.trace_id:032x}-{context.span_id:016x}-{context.trace_flags:02x}"


class _Settings(TelemetrySettings, Protocol):
    @property
    def bodies(self) -> bool: ...


def make_observer(settings: _Settings, currency: str, redact: Redact) -> Observer:
    """Return the observer that a configuration asks for; costs are in one currency."""
    metrics = Metrics(currency)
    meters = make_meters(settings, metrics)
    return Observer(metrics, make_tracing(settings, redact), meters, redact if settings.bodies else None)


def make_meters(settings: TelemetrySettings, metrics: Metrics) -> Meters | None:
    """Return the meters that a configuration asks for, if any; they export the counters too."""
    if settings.metrics is None:
        return None
    readers = require_extra("opentelemetry.sdk.metrics.export", EXTRA, "telemetry.metrics")
    exporters = require_extra("opentelemetry.exporter.otlp.proto.http.metric_exporter", EXTRA, "telemetry.metrics")
    exporter = exporters.OTLPMetricExporter(endpoint=settings.metrics, timeout=TIMEOUT)
    reader: MetricReader = readers.PeriodicExportingMetricReader(exporter)
    return OpenTelemetryMeters.to(reader, settings.service_name, metrics)


class OpenTelemetryMeters:
    """Meters with a provider of their own: the counters, and the two histograms that the conventions name."""

    def __init__(self, provider: MeterProvider, metrics: Metrics) -> None:
        self._provider = provider
        meter = provider.get_meter("connector")
        self._seconds = meter.create_histogram(
            DURATION, "s", "Duration of a call.", explicit_bucket_boundaries_advisory=SECONDS
        )
        self._tokens = meter.create_histogram(
            TOKENS, "{token}", "Tokens of a call.", explicit_bucket_boundaries_advisory=COUNTS
        )
        for counter in metrics.counters:
            meter.create_observable_counter(counter.name, [_observer_of(counter)], description=counter.description)

    @classmethod
    def to(cls, reader: MetricReader, service: str, metrics: Metrics) -> OpenTelemetryMeters:
        """Return meters that a reader collects."""
        from opentelemetry.sdk.metrics import MeterProvider

        return cls(MeterProvider([reader], _resource(service), shutdown_on_exit=False), metrics)

    def record_call(self, operation: str, seconds: float, cost: Cost, error: str) -> None:
        attributes = {"gen_ai.operation.name": operation, "gen_ai.provider.name": "openai"}
        attributes |= {"gen_ai.response.model": cost.model} if cost.model else {}
        self._seconds.record(seconds, {**attributes, "error.type": error} if error else attributes)
        for name, tokens in (("input", cost.usage.input), ("output", cost.usage.output)):
            if tokens:
                self._tokens.record(tokens, {**attributes, "gen_ai.token.type": name})

    def close(self) -> None:
        self._provider.shutdown()


def _observer_of(counter: Counter) -> Callable[[CallbackOptions], Iterator[Observation]]:
    def observe(_: CallbackOptions) -> Iterator[Observation]:
        from opentelemetry.metrics import Observation

        for labels, value in list(counter.values.items()):
            yield Observation(value, dict(zip(counter.labels, labels, strict=True)))

    return observe
