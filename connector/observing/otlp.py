"""Spans and numbers for an OTLP receiver, through OpenTelemetry's own packages."""

from __future__ import annotations

from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Protocol

from connector.extras import require_extra
from connector.observing.tracing import NO_TRACING, NOTHING, Attributes, Role, Span, Tracing
from connector.version import version

if TYPE_CHECKING:
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import SpanExporter
    from opentelemetry.trace import Span as Told
    from opentelemetry.trace import SpanContext, SpanKind

__all__ = ["OpenTelemetry", "TelemetryLike", "resource", "tracing"]

Redact = Callable[[str], str]
EXTRA = "telemetry"
PATIENCE = 5.0
"""Seconds that a receiver has to answer."""
LONGEST = 16 * 1024


class TelemetryLike(Protocol):
    """What a configuration says of telemetry."""

    @property
    def traces(self) -> str | None: ...

    @property
    def metrics(self) -> str | None: ...

    @property
    def service_name(self) -> str: ...


def tracing(telemetry: TelemetryLike, redact: Redact) -> Tracing:
    """Where a configuration wants its spans told."""
    if telemetry.traces is None:
        return NO_TRACING
    require_extra("opentelemetry.sdk.trace", EXTRA, "telemetry.traces")
    exporters = require_extra("opentelemetry.exporter.otlp.proto.http.trace_exporter", EXTRA, "telemetry.traces")
    exporter = exporters.OTLPSpanExporter(endpoint=telemetry.traces, timeout=PATIENCE)
    return OpenTelemetry.to(exporter, resource(telemetry.service_name), redact)


def resource(service: str) -> Resource:
    """What everything that is told is told of."""
    from opentelemetry.sdk.resources import Resource

    return Resource.create({"service.name": service, "service.version": version()})


class OpenTelemetry:
    """Tells a provider of spans that belongs to nobody else; what it tells is without secrets."""

    def __init__(self, provider: TracerProvider, redact: Redact) -> None:
        self._provider = provider
        self._tracer = provider.get_tracer("connector")
        self._redact = redact

    @classmethod
    def to(cls, exporter: SpanExporter, told_of: Resource, redact: Redact) -> OpenTelemetry:
        """Tells an exporter, some spans at a time and from a thread of its own."""
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor

        provider = TracerProvider(resource=told_of, shutdown_on_exit=False)
        provider.add_span_processor(BatchSpanProcessor(exporter))
        return cls(provider, redact)

    @contextmanager
    def span(
        self, name: str, attributes: Attributes = NOTHING, *, parent: str = "", role: Role = "internal"
    ) -> Generator[Span]:
        from opentelemetry.trace import use_span
        from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

        context = TraceContextTextMapPropagator().extract({"traceparent": parent}) if parent else None
        span = self._tracer.start_span(self._redact(name), context, _kind(role), record_exception=False)
        told = _Heard(span, self._redact)
        told.set(attributes)
        # What an exception says, and its traceback, may hold secrets: only its words are told, without them.
        with use_span(span, end_on_exit=True, record_exception=False, set_status_on_exception=False):
            try:
                yield told
            except Exception as error:
                told.set({"error.type": type(error).__name__})
                told.fail(str(error))
                raise

    def carrier(self) -> str:
        from opentelemetry.trace import get_current_span

        return _traceparent(get_current_span().get_span_context())

    def close(self) -> None:
        self._provider.shutdown()


class _Heard:
    """A span that is told."""

    heard = True

    def __init__(self, span: Told, redact: Redact) -> None:
        self._span = span
        self._redact = redact

    @property
    def traceparent(self) -> str:
        return _traceparent(self._span.get_span_context())

    def set(self, attributes: Attributes) -> None:
        for name, value in attributes.items():
            if isinstance(value, str):
                self._span.set_attribute(name, self._redact(value)[:LONGEST])
            elif value is not None:
                self._span.set_attribute(name, value)

    def fail(self, reason: str) -> None:
        from opentelemetry.trace import Status, StatusCode

        self._span.set_status(Status(StatusCode.ERROR, self._redact(reason)[:LONGEST]))


def _kind(role: Role) -> SpanKind:
    from opentelemetry.trace import SpanKind

    kinds = {"call": SpanKind.CLIENT, "consumer": SpanKind.CONSUMER, "producer": SpanKind.PRODUCER}
    return kinds.get(role, SpanKind.INTERNAL)


def _traceparent(context: SpanContext) -> str:
    if not context.is_valid:
        return ""
    return f"00-{context.trace_id:032x}-{context.span_id:016x}-{context.trace_flags:02x}"
