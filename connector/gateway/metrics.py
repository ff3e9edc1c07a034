"""The counts in Prometheus' form, made when they are asked for."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from connector.gateway.access import Callers
from connector.gateway.ledger import Ledger
from connector.observing.families import Spans
from connector.observing.metrics import CONTENT_TYPE

__all__ = ["CONTENT_TYPE", "Metrics"]

SECONDS = (0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600)
WHOSE = ("token", "client", "model")


class Metrics:
    """A registry of the gateway's own.

    Args:
        ledger: what was called.
        callers: whose budgets are shown.
        gauges: what is so at the moment, by name, with what it says.
    """

    def __init__(self, ledger: Ledger, callers: Callers, gauges: Mapping[str, tuple[str, Callable[[], float]]]) -> None:
        self.registry = CollectorRegistry()
        self.seconds = Spans("connector_gateway_seconds", "Seconds until the end of an answer.", ("client",), SECONDS)
        self.registry.register(_Counts(ledger, callers, gauges, self.seconds))

    def text(self) -> bytes:
        return generate_latest(self.registry)


class _Counts(Collector):
    """Reads the ledger when somebody asks, so that a call costs a few additions."""

    def __init__(
        self,
        ledger: Ledger,
        callers: Callers,
        gauges: Mapping[str, tuple[str, Callable[[], float]]],
        seconds: Spans,
    ) -> None:
        self._ledger = ledger
        self._callers = callers
        self._gauges = gauges
        self._seconds = seconds

    def collect(self) -> Iterator[Metric]:
        yield from self._answers()
        yield from self._sums()
        yield from self._budgets()
        yield self._seconds.family()
        for name, (says, value) in self._gauges.items():
            yield GaugeMetricFamily(f"connector_gateway_{name}", says, value=value())

    def _answers(self) -> Iterator[Metric]:
        labels = ("token", "client", "operation", "status")
        answers = CounterMetricFamily("connector_gateway_calls", "Calls, by their answers.", labels=labels)
        for (caller, client, operation, status), number in self._ledger.answers.items():
            answers.add_metric((caller, client, operation, str(status)), number)
        yield answers
        refused = CounterMetricFamily(
            "connector_gateway_refusals", "Calls that were not passed on.", labels=("token", "code")
        )
        for (caller, code), number in self._ledger.refusals.items():
            refused.add_metric((caller, code), number)
        yield refused

    def _sums(self) -> Iterator[Metric]:
        tokens = CounterMetricFamily("connector_gateway_tokens", "Tokens of answers.", labels=(*WHOSE, "kind"))
        cost = CounterMetricFamily(
            "connector_gateway_cost", f"Cost by the configured prices, in {self._ledger.currency}.", labels=WHOSE
        )
        unsure = CounterMetricFamily(
            "connector_gateway_estimated", "Calls whose tokens had to be estimated.", labels=WHOSE
        )
        unpriced = CounterMetricFamily(
            "connector_gateway_unpriced", "Calls that used a model without a price.", labels=WHOSE
        )
        for caller, client, model, found in self._ledger.rows():
            whose = (caller, client, model)
            for kind in ("input", "cached_input", "output"):
                tokens.add_metric((*whose, kind), getattr(found, f"{kind}_tokens"))
            cost.add_metric(whose, found.cost)
            unsure.add_metric(whose, found.estimated)
            unpriced.add_metric(whose, found.unpriced)
        yield from (tokens, cost, unsure, unpriced)

    def _budgets(self) -> Iterator[Metric]:
        money = f"money in {self._ledger.currency}"
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
            _ = caller.quota.used_up  # a period that is over is forgotten first
            spending = caller.quota.spending
            for unit, most, used in (
                ("money", budget.amount, spending.amount),
                ("tokens", budget.tokens, spending.tokens),
            ):
                if most is not None:
                    spent.add_metric((caller.name, unit), used)
                    limit.add_metric((caller.name, unit), most)
        yield from (spent, limit)
