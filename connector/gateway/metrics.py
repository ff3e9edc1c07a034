"""The metrics page in Prometheus' text format, rendered when it is read."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterator, Sequence
from itertools import accumulate

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector

from connector.gateway.access import Callers
from connector.gateway.usage_counters import UsageCounters

__all__ = ["CONTENT_TYPE", "Metrics"]

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
Labels = tuple[str, ...]
SECONDS = (0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600)
OWNER_LABELS = ("token", "client", "model")


class Histogram:
    """Durations by their labels, counted in buckets."""

    def __init__(self, name: str, description: str, labels: Sequence[str], bounds: Sequence[float]) -> None:
        self.name, self.description, self.labels = name, description, tuple(labels)
        self._bounds = tuple(bounds)
        self._counts: dict[Labels, list[int]] = {}
        self._sums: dict[Labels, float] = {}

    def add(self, labels: Labels, seconds: float) -> None:
        counts = self._counts.get(labels)
        if counts is None:
            counts = self._counts[labels] = [0] * (len(self._bounds) + 1)
        counts[bisect_left(self._bounds, seconds)] += 1
        self._sums[labels] = self._sums.get(labels, 0.0) + seconds

    def to_family(self) -> HistogramMetricFamily:
        found = HistogramMetricFamily(self.name, self.description, labels=self.labels)
        names = [*(repr(float(bound)) for bound in self._bounds), "+Inf"]
        for labels, counts in self._counts.items():
            buckets = list(zip(names, map(float, accumulate(counts)), strict=True))
            found.add_metric(labels, buckets, self._sums[labels])
        return found


class Metrics:
    """A registry of the gateway's own.

    Args:
        counters: of requests, tokens and costs.
        callers: whose budgets are shown.
        in_flight: returns the calls under way.
    """

    def __init__(self, counters: UsageCounters, callers: Callers, in_flight: Callable[[], int]) -> None:
        self.registry = CollectorRegistry()
        self.seconds = Histogram(
            "connector_gateway_seconds", "Seconds until the end of an answer.", ("client",), SECONDS
        )
        self.registry.register(_Collector(counters, callers, in_flight, self.seconds))

    def render(self) -> bytes:
        """Return the page."""
        return generate_latest(self.registry)


class _Collector(Collector):
    """Reads the counters when the page is read, so that a request costs only a few additions."""

    def __init__(
        self,
        counters: UsageCounters,
        callers: Callers,
        in_flight: Callable[[], int],
        seconds: Histogram,
    ) -> None:
        self._counters = counters
        self._callers = callers
        self._in_flight = in_flight
        self._seconds = seconds

    def collect(self) -> Iterator[Metric]:
        yield from self._answers()
        yield from self._sums()
        yield from self._budgets()
        yield self._seconds.to_family()
        yield GaugeMetricFamily("connector_gateway_in_flight", "Calls under way.", value=float(self._in_flight()))

    def _answers(self) -> Iterator[Metric]:
        labels = ("token", "client", "operation", "status")
        answers = CounterMetricFamily("connector_gateway_calls", "Calls, by their answers.", labels=labels)
        for (caller, client, operation, status), number in self._counters.answers.items():
            answers.add_metric((caller, client, operation, str(status)), number)
        yield answers
        refused = CounterMetricFamily(
            "connector_gateway_refusals", "Calls that were not passed on.", labels=("token", "code")
        )
        for (caller, code), number in self._counters.refusals.items():
            refused.add_metric((caller, code), number)
        yield refused

    def _sums(self) -> Iterator[Metric]:
        tokens = CounterMetricFamily("connector_gateway_tokens", "Tokens of answers.", labels=(*OWNER_LABELS, "kind"))
        cost = CounterMetricFamily(
            "connector_gateway_cost",
            f"Cost by the configured prices, in {self._counters.currency}.",
            labels=OWNER_LABELS,
        )
        unsure = CounterMetricFamily(
            "connector_gateway_estimated", "Calls whose tokens had to be estimated.", labels=OWNER_LABELS
        )
        unpriced = CounterMetricFamily(
            "connector_gateway_unpriced", "Calls that used a model without a price.", labels=OWNER_LABELS
        )
        for caller, client, model, found in self._counters.rows():
            owner = (caller, client, model)
            for kind in ("input", "cached_input", "output"):
                tokens.add_metric((*owner, kind), getattr(found, f"{kind}_tokens"))
            cost.add_metric(owner, found.cost)
            unsure.add_metric(owner, found.estimated)
            unpriced.add_metric(owner, found.unpriced)
        yield from (tokens, cost, unsure, unpriced)

    def _budgets(self) -> Iterator[Metric]:
        money = f"money in {self._counters.currency}"
        spent = GaugeMetricFamily(
            "connector_gateway_budget_spent", f"Spent in this period; {money}.", labels=("token", "unit")
        )
        limit = GaugeMetricFamily(
            "connector_gateway_budget_limit", f"What may be spent; {money}.", labels=("token", "unit")
        )
        for caller in self._callers:
            budget = caller.quota.budget
            if budget is None:
                continue
            _ = caller.quota.is_used_up  # a period that is over is forgotten first
            spending = caller.quota.spending
            for unit, most, used in (
                ("money", budget.amount, spending.amount),
                ("tokens", budget.tokens, spending.tokens),
            ):
                if most is not None:
                    spent.add_metric((caller.name, unit), used)
                    limit.add_metric((caller.name, unit), most)
        yield from (spent, limit)
