"""The metrics page in Prometheus' text format, rendered when it is read."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector

from connector.gateway.access import Callers
from connector.gateway.usage_counters import UsageCounters

__all__ = ["CONTENT_TYPE", "Metrics"]

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
OWNER_LABELS = ("token", "client", "model")


class Metrics:
    """A registry of the gateway's own.

    Args:
        count: returns the counters of requests, tokens and costs.
        callers: whose budgets are shown.
        in_flight: returns the calls under way.
    """

    def __init__(self, count: Callable[[], UsageCounters], callers: Callers, in_flight: Callable[[], int]) -> None:
        self.registry = CollectorRegistry()
        self.registry.register(_Collector(count, callers, in_flight))

    def render(self) -> bytes:
        """Return the page."""
        return generate_latest(self.registry)


class _Collector(Collector):
    """Reads the counters when the page is read, so that a request costs only a few additions."""

    def __init__(
        self,
        count: Callable[[], UsageCounters],
        callers: Callers,
        in_flight: Callable[[], int],
    ) -> None:
        self._count = count
        self._callers = callers
        self._in_flight = in_flight

    def collect(self) -> Iterator[Metric]:
        counters = self._count()
        yield from self._answers(counters)
        yield from self._sums(counters)
        yield from self._budgets(counters.currency)
        yield self._durations(counters)
        yield GaugeMetricFamily("connector_gateway_in_flight", "Calls under way.", value=float(self._in_flight()))

    def _answers(self, counters: UsageCounters) -> Iterator[Metric]:
        labels = ("token", "client", "operation", "status")
        answers = CounterMetricFamily("connector_gateway_calls", "Calls, by their answers.", labels=labels)
        for (caller, client, operation, status), number in counters.answers.items():
            answers.add_metric((caller, client, operation, str(status)), number)
        yield answers
        refused = CounterMetricFamily(
            "connector_gateway_refusals", "Calls that were not passed on.", labels=("token", "code")
        )
        for (caller, code), number in counters.refusals.items():
            refused.add_metric((caller, code), number)
        yield refused

    def _sums(self, counters: UsageCounters) -> Iterator[Metric]:
        tokens = CounterMetricFamily("connector_gateway_tokens", "Tokens of answers.", labels=(*OWNER_LABELS, "kind"))
        cost = CounterMetricFamily(
            "connector_gateway_cost",
            f"Cost by the configured prices, in {counters.currency}.",
            labels=OWNER_LABELS,
        )
        unsure = CounterMetricFamily(
            "connector_gateway_estimated", "Calls whose tokens had to be estimated.", labels=OWNER_LABELS
        )
        unpriced = CounterMetricFamily(
            "connector_gateway_unpriced", "Calls that used a model without a price.", labels=OWNER_LABELS
        )
        for caller, client, model, found in counters.rows():
            owner = (caller, client, model)
            for kind in ("input", "cached_input", "output"):
                tokens.add_metric((*owner, kind), getattr(found, f"{kind}_tokens"))
            cost.add_metric(owner, found.cost)
            unsure.add_metric(owner, found.estimated)
            unpriced.add_metric(owner, found.unpriced)
        yield from (tokens, cost, unsure, unpriced)

    def _durations(self, counters: UsageCounters) -> Metric:
        seconds = HistogramMetricFamily(
            "connector_gateway_seconds", "Seconds until the end of an answer.", labels=("client",)
        )
        for client, durations in counters.durations.items():
            seconds.add_metric((client,), durations.buckets(), durations.total)
        return seconds

    def _budgets(self, currency: str) -> Iterator[Metric]:
        money = f"money in {currency}"
        spent = GaugeMetricFamily(
            "connector_gateway_budget_spent", f"Spent in this period; {money}.", labels=("token", "unit")
        )
        limit = GaugeMetricFamily(
            "connector_gateway_budget_limit", f"What may be spent; {money}.", labels=("token", "unit")
        )
        reserved = GaugeMetricFamily(
            "connector_gateway_budget_reserved", f"What calls under way may use; {money}.", labels=("token", "unit")
        )
        for caller in self._callers:
            budget = caller.quota.budget
            if budget is None:
                continue
            _ = caller.quota.is_used_up  # a period that is over is forgotten first
            spending = caller.quota.spending
            for unit, most, used, held in (
                ("money", budget.amount, spending.amount, spending.held_amount),
                ("tokens", budget.tokens, spending.tokens, spending.held_tokens),
            ):
                if most is not None:
                    spent.add_metric((caller.name, unit), used)
                    limit.add_metric((caller.name, unit), most)
                    reserved.add_metric((caller.name, unit), held)
        yield from (spent, limit, reserved)
