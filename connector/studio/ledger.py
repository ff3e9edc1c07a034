"""What calls of tasks cost, read from their answers; a bounded number of tasks, the newest first."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from connector.delivery.charges import price_kept_calls
from connector.delivery.route_spec import parent_of
from connector.engine import CallRecord, Filter
from connector.studio.context import StudioContext
from connector.telemetry.costs import NO_USAGE, Prices, Usage

__all__ = ["MOST", "Spent", "Sum", "read_spent"]

MOST = 5_000
"""Tasks that are looked at for one report."""
WINDOW = 500


@dataclass(frozen=True, slots=True)
class Spent:
    """What one call used and cost; the amount is None when its model has no price."""

    route: str
    model: str
    at: float
    usage: Usage
    amount: float | None


@dataclass(slots=True)
class Sum:
    """Calls summed up."""

    calls: int = 0
    usage: Usage = NO_USAGE
    amount: float = 0.0
    unpriced: int = 0

    def add(self, spent: Spent) -> None:
        """Add a call."""
        self.calls += 1
        self.usage += spent.usage
        self.amount += spent.amount or 0.0
        self.unpriced += spent.amount is None


async def read_spent(context: StudioContext, since: float, until: float) -> tuple[list[Spent], bool]:
    """Return what the calls of a time cost, and whether every task that changed in it was looked at."""
    prices = Prices.over_registry(
        context.configuration.prices, context.configuration.currency, context.configuration.catalogue_folder
    )
    found: list[Spent] = []
    looked, after = 0, 0
    while True:
        wanted = Filter(updated_after=since)
        page = await context.store.tasks(wanted, after=after, limit=WINDOW)
        calls = await context.store.feed.calls([task.id for task in page])
        for task in page:
            spent = _spent_of(task.route, calls.get(task.id, ()), prices)
            found += [one for one in spent if since <= one.at < until]
        looked += len(page)
        if len(page) < WINDOW:
            return found, True
        if looked >= MOST:
            return found, False
        after = page[-1].id


def _spent_of(name: str, calls: Sequence[CallRecord], prices: Prices) -> Iterator[Spent]:
    route = parent_of(name)[0]
    for call, cost in price_kept_calls(prices, calls):
        yield Spent(route, cost.model, call.ended or call.started, cost.usage, cost.amount)
