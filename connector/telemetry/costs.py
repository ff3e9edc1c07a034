"""What calls cost: what they used, times the prices of a configuration or of the registry; and budget periods."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Literal, Protocol

from connector.model import JSON
from connector.model_registry import LifeCycle, ModelRegistry, PriceList, load_registry
from connector.telemetry.usage import NO_USAGE, Usage, answer_parts, find_text, find_tier, read_usage, usage_in

__all__ = [
    "NO_COST",
    "NO_USAGE",
    "REGISTRY_CURRENCY",
    "TIERS",
    "Cost",
    "Period",
    "Price",
    "Prices",
    "Usage",
    "find_period",
    "read_usage",
]

TIERS: Mapping[str, float] = {
    "": 1.0, "auto": 1.0, "default": 1.0, "standard": 1.0, "scale": 1.0, "flex": 0.5, "batch": 0.5, "priority": 2.0,
    "window-2h": 0.7, "window-8h": 0.6,
}  # fmt: skip
"""The factor of each service tier and background window on a configured price, which may have one of its own for
priority; the registry knows each model's own."""
SAME_TIER = {"fast": "priority"}
REGISTRY_CURRENCY = "USD"
MAX_CACHED = 1000

Period = Literal["hour", "day", "week", "month"]
EPOCH_WEEKDAY = 3
"""1 January 1970 was a Thursday."""
PERIOD_LENGTHS: dict[Period, timedelta] = {
    "hour": timedelta(hours=1), "day": timedelta(days=1), "week": timedelta(weeks=1)
}  # fmt: skip
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Price(Protocol):
    """The configured price of a model's tokens."""

    @property
    def input(self) -> float: ...

    @property
    def cached_input(self) -> float | None: ...

    @property
    def output(self) -> float: ...

    @property
    def per(self) -> int: ...

    @property
    def priority(self) -> float: ...

    @property
    def regional(self) -> float | None: ...


@dataclass(frozen=True, slots=True)
class Cost:
    """What one call used and cost; the amount is None when its model has no price.

    Attributes:
        saved: how much less that is than by a standard call; negative for one that costs more.
    """

    model: str
    usage: Usage
    amount: float | None
    currency: str = REGISTRY_CURRENCY
    saved: float = field(default=0.0, compare=False)


NO_COST = Cost("", NO_USAGE, None)
"""Of a call that is not paid for."""


class Prices:
    """Prices of models by name: those of a configuration first, then those of the registry.

    Args:
        prices: configured prices; a name may end in `*`, and the longest match counts.
        currency: the currency of all amounts; the registry's prices are in USD, and count in no other.
        registry: the prices of models that the configuration does not name; none unless given.
        day: the day whose prices count; the newest unless given.
    """

    def __init__(
        self,
        prices: Mapping[str, Price],
        currency: str = REGISTRY_CURRENCY,
        registry: ModelRegistry | None = None,
        day: date | None = None,
    ) -> None:
        self.currency = currency
        self._registry = registry if currency == REGISTRY_CURRENCY else None
        self._day = day
        self._exact = {name: price for name, price in prices.items() if not name.endswith("*")}
        starts = {name[:-1]: price for name, price in prices.items() if name.endswith("*")}
        self._starts = sorted(starts.items(), key=lambda pair: len(pair[0]), reverse=True)
        self._cache: dict[tuple[str, str, bool], PriceList | None] = {}

    @classmethod
    def over_registry(cls, prices: Mapping[str, Price], currency: str, entities: Path | None = None) -> Prices:
        """Return configured prices that go before those of a catalogue's registry, or of the one that ships."""
        return cls(prices, currency, load_registry(entities))

    def __bool__(self) -> bool:
        return bool(self._exact or self._starts or self._registry)

    def find(self, model: str, tier: str = "", *, regional: bool = False) -> PriceList | None:
        """Return the price list of a model in a service tier, or None when the model has none."""
        key = (model, tier, regional)
        if key not in self._cache:
            if len(self._cache) >= MAX_CACHED:  # names come from answers and are unbounded
                self._cache.clear()
            self._cache[key] = self._find(model, SAME_TIER.get(tier, tier), regional=regional)
        return self._cache[key]

    def _find(self, model: str, tier: str, *, regional: bool) -> PriceList | None:
        configured = self._exact.get(model) or next(
            (price for start, price in self._starts if model.startswith(start)), None
        )
        known = self._registry.find(model) if self._registry is not None else None
        factor = known.regional if known is not None else 1.0
        if configured is not None:
            found: PriceList | None = _make_price_list(configured, tier)
            factor = factor if configured.regional is None else configured.regional
        else:
            found = known.price_list(tier, self._day) if known is not None else None
        return found.times(factor) if regional and found is not None else found

    def compute_cost(self, model: str, usage: Usage, tier: str = "", *, regional: bool = False) -> float | None:
        """Return what a call cost in a service tier, or None when its model has no price.

        Args:
            model: the model that answered.
            usage: what the call used.
            tier: the service tier, `batch`, or a background window such as `window-8h`.
            regional: whether the call was processed at a regional address.
        """
        prices = self.find(model, tier, regional=regional)
        return None if prices is None else prices.amount(usage.units())

    def compute_highest_cost(self, usage: Usage, *, regional: bool = False) -> float:
        """Return what a call costs with the most expensive configured model, or else with the registry's."""
        named = (*self._exact, *(start for start, _ in self._starts))
        if not named and self._registry is not None:
            day = self._day or self._registry.as_of
            named = tuple(each.name for each in self._registry if each.life_cycle(day) is not LifeCycle.RETIRED)
        return max(
            (self.compute_cost(name, usage, "priority", regional=regional) or 0.0 for name in named), default=0.0
        )

    def read_cost(self, body: JSON, *, model: str = "", tier: str = "", regional: bool = False) -> Cost:
        """Return what an answer reports as used, and what that cost.

        Args:
            body: the answer, a stream's last event, or a line of a batch's output.
            model: the requested model, for answers that do not name theirs.
            tier: `batch` for calls in a batch; by default the tier or the window that the answer names.
            regional: whether the call was processed at a regional address.
        """
        parts = answer_parts(body)
        usage, found = usage_in(parts), find_text(parts, "model") or model
        tier = tier or find_tier(parts)
        amount, saved = self.compute_cost(found, usage, tier, regional=regional), 0.0
        if amount is not None and TIERS.get(tier) != 1.0:
            saved = (self.compute_cost(found, usage, regional=regional) or amount) - amount
        return Cost(found, usage, amount, self.currency, saved)


def _make_price_list(price: Price, tier: str) -> PriceList:
    """Return a configured price as a list of rates a million tokens."""
    factor = price.priority if tier == "priority" else TIERS.get(tier, price.priority)
    per = factor * 1_000_000 / price.per
    cached = price.input if price.cached_input is None else price.cached_input
    return PriceList({"input": price.input * per, "cached_input": cached * per, "output": price.output * per})


def find_period(every: Period, at: float) -> tuple[float, float]:
    """Return when the UTC period around a time begins and ends, in seconds since 1970; weeks begin on Monday."""
    now = datetime.fromtimestamp(at, UTC)
    if every == "month":
        first = now.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
        following = (first + timedelta(days=32)).replace(day=1)
        return first.timestamp(), following.timestamp()
    length = PERIOD_LENGTHS[every]
    shift = timedelta(days=EPOCH_WEEKDAY) if every == "week" else timedelta()
    begun = now - (now - EPOCH + shift) % length
    return begun.timestamp(), (begun + length).timestamp()
