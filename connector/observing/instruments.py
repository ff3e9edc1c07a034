"""The numbers of this process for an OTLP receiver: the same families, and the two that the conventions name."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Protocol

from connector.extras import require_extra
from connector.observing.families import Levels, Sums, families
from connector.observing.metrics import Metrics
from connector.observing.otlp import EXTRA, PATIENCE, TelemetryLike, resource
from connector.observing.prices import Cost

if TYPE_CHECKING:
    from opentelemetry.metrics import CallbackOptions, Observation
    from opentelemetry.sdk.metrics import MeterProvider
    from opentelemetry.sdk.metrics.export import MetricReader

__all__ = ["NO_INSTRUMENTS", "Instruments", "instruments"]

DURATION = "gen_ai.client.operation.duration"
TOKENS = "gen_ai.client.token.usage"
SECONDS = (0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92)
COUNTS = (1, 4, 16, 64, 256, 1024, 4096, 16384, 65536, 262144, 1048576, 4194304, 16777216, 67108864)
"""The buckets that the conventions ask for."""


class Instruments(Protocol):
    """What calls are told to, one by one."""

    def called(self, kind: str, seconds: float, cost: Cost, error: str) -> None:
        """Tells of a call that came to its end; `error` is empty when it is done."""
        ...

    def close(self) -> None:
        """Tells what is still to be told."""
        ...


class _NoInstruments:
    def called(self, kind: str, seconds: float, cost: Cost, error: str) -> None: ...

    def close(self) -> None: ...


NO_INSTRUMENTS = _NoInstruments()


def instruments(telemetry: TelemetryLike, metrics: Metrics) -> Instruments:
    """Where a configuration wants its numbers told."""
    if telemetry.metrics is None:
        return NO_INSTRUMENTS
    readers = require_extra("opentelemetry.sdk.metrics.export", EXTRA, "telemetry.metrics")
    exporters = require_extra("opentelemetry.exporter.otlp.proto.http.metric_exporter", EXTRA, "telemetry.metrics")
    exporter = exporters.OTLPMetricExporter(endpoint=telemetry.metrics, timeout=PATIENCE)
    reader: MetricReader = readers.PeriodicExportingMetricReader(exporter)
    return OpenTelemetryInstruments.to(reader, telemetry.service_name, metrics)


class OpenTelemetryInstruments:
    """Tells a provider of meters that belongs to nobody else."""

    def __init__(self, provider: MeterProvider, metrics: Metrics) -> None:
        self._provider = provider
        meter = provider.get_meter("connector")
        self._seconds = meter.create_histogram(
            DURATION, "s", "Duration of a call.", explicit_bucket_boundaries_advisory=SECONDS
        )
        self._tokens = meter.create_histogram(
            TOKENS, "{token}", "Tokens of a call.", explicit_bucket_boundaries_advisory=COUNTS
        )
        # Lengths of time are Prometheus' alone, but for those of calls, which the conventions have a histogram for.
        for family in families(metrics):
            if isinstance(family, Sums):
                meter.create_observable_counter(family.name, [_observed(family)], description=family.says)
            elif isinstance(family, Levels):
                meter.create_observable_gauge(family.name, [_observed(family)], description=family.says)

    @classmethod
    def to(cls, reader: MetricReader, service: str, metrics: Metrics) -> OpenTelemetryInstruments:
        """Tells a reader."""
        from opentelemetry.sdk.metrics import MeterProvider

        return cls(MeterProvider([reader], resource(service), shutdown_on_exit=False), metrics)

    def called(self, kind: str, seconds: float, cost: Cost, error: str) -> None:
        about = {"gen_ai.operation.name": kind, "gen_ai.provider.name": "openai"}
        about |= {"gen_ai.response.model": cost.model} if cost.model else {}
        self._seconds.record(seconds, {**about, "error.type": error} if error else about)
        for name, tokens in (("input", cost.usage.input), ("output", cost.usage.output)):
            if tokens:
                self._tokens.record(tokens, {**about, "gen_ai.token.type": name})

    def close(self) -> None:
        self._provider.shutdown()


def _observed(family: Sums | Levels) -> Callable[[CallbackOptions], Iterator[Observation]]:
    def observe(_: CallbackOptions) -> Iterator[Observation]:
        from opentelemetry.metrics import Observation

        for labels, value in list(family.values.items()):
            yield Observation(value, dict(zip(family.labels, labels, strict=True)))

    return observe
