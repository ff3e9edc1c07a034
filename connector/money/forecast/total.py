"""Requests of many kinds, priced together: what all of them will use and cost, with how far that may be off."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from random import Random

from connector.money.forecast.donors import Donors, Draw
from connector.telemetry.costs import Prices

__all__ = ["Interval", "Kind", "Total", "forecast_total"]

DRAWS = 400
STRATA = 5
"""Sizes of requests that are told apart."""
UNLIMITED = 128_000.0
"""The longest answer where neither the request nor the registry says one."""


@dataclass(frozen=True, slots=True)
class Interval:
    """A figure that lies below `p50` as often as above it, and below `p95` nineteen times of twenty."""

    p50: float
    p95: float

    @classmethod
    def of(cls, values: Sequence[float]) -> Interval:
        """Return the middle of some values, and what nineteen of twenty lie below."""
        ordered = sorted(values)
        return cls(_at(ordered, 0.5), _at(ordered, 0.95))


def _at(ordered: Sequence[float], share: float) -> float:
    if not ordered:
        return 0.0
    place = share * (len(ordered) - 1)
    low, high = math.floor(place), math.ceil(place)
    return ordered[low] + (ordered[high] - ordered[low]) * (place - low)


@dataclass(frozen=True, slots=True)
class Kind:
    """Requests that ask one model for one thing.

    Attributes:
        model: whom they ask.
        sizes: the tokens of the requests in the sample, as they were counted.
        number: how many there will be, those of the sample included.
        donors: what the past tells of them.
        most: how long an answer may be.
        paid: how many calls are paid for each request, and how many requests that was seen of.
        regional: whether they are processed at a regional address.
    """

    model: str
    sizes: Sequence[float]
    number: float
    donors: Donors
    most: float = UNLIMITED
    paid: tuple[float, int] = (1.0, 0)
    regional: bool = False


@dataclass(frozen=True, slots=True)
class Total:
    """What requests will use and cost, by tier; a tier without a price for one of the models is missing."""

    input: Interval
    output: Interval
    money: Mapping[str, Interval] = field(default_factory=dict[str, Interval])


@dataclass(slots=True)
class _Sums:
    input: float = 0.0
    output: float = 0.0
    money: list[float] = field(default_factory=list[float])


def forecast_total(
    kinds: Sequence[Kind],
    prices: Prices,
    tiers: Sequence[str],
    chance: Random,
    *,
    beside: Sequence[Sequence[float]] = (),
) -> Total:
    """Return what all requests will use and cost together.

    Args:
        kinds: the requests.
        prices: of models.
        tiers: the ways in which they may be processed.
        chance: where all draws come from.
        beside: for each draw, what else will be paid on each tier.
    """
    known = [tier for tier in tiers if all(prices.find(kind.model, tier) is not None for kind in kinds)]
    drawn = [_draw(kinds, prices, known, chance) for _ in range(DRAWS)]
    money: dict[str, Interval] = {}
    for place, tier in enumerate(known):
        also = [amounts[tiers.index(tier)] for amounts in beside] or [0.0]
        money[tier] = Interval.of([sums.money[place] + also[n % len(also)] for n, sums in enumerate(drawn)])
    return Total(Interval.of([one.input for one in drawn]), Interval.of([one.output for one in drawn]), money)


def _draw(kinds: Sequence[Kind], prices: Prices, tiers: Sequence[str], chance: Random) -> _Sums:
    sums = _Sums(money=[0.0] * len(tiers))
    for kind in kinds:
        draw = kind.donors.draw(chance)
        paid = _draw_paid(kind, chance)
        for size, number in _strata(kind, chance):
            _add_stratum(sums, kind, draw, size, number * paid, prices, tiers, chance)
    return sums


def _add_stratum(
    sums: _Sums,
    kind: Kind,
    draw: Draw,
    size: float,
    number: float,
    prices: Prices,
    tiers: Sequence[str],
    chance: Random,
) -> None:
    sent = size * draw.ratio
    received = kind.donors.received(draw, size, number, kind.most, chance)
    sums.input += number * sent
    sums.output += received
    for place, tier in enumerate(tiers):
        rates = prices.find(kind.model, tier, regional=kind.regional)
        if rates is None:
            continue
        prompt = int(sent)
        each = sent * (
            (1 - draw.cached) * rates.rate("input", prompt) + draw.cached * rates.rate("cached_input", prompt)
        )
        sums.money[place] += (number * each + received * rates.rate("output", prompt)) / 1_000_000
        sums.money[place] += number * kind.donors.others(draw, place)


def _draw_paid(kind: Kind, chance: Random) -> float:
    """Return how many calls are paid for each request: fewer where some fail, more where some are repeated."""
    mean, seen = kind.paid
    if not seen or mean == 1.0:
        return 1.0
    return chance.gammavariate(mean * seen + 0.5, 1.0 / seen)


def _strata(kind: Kind, chance: Random) -> list[tuple[float, float]]:
    """Return sizes of requests, each with how many there will be: the sample as it is, and the rest like it."""
    sizes = sorted(kind.sizes)
    if not sizes or kind.number <= 0:
        return []
    known = min(float(len(sizes)), kind.number)
    rest = kind.number - known
    weights = [known / len(sizes)] * len(sizes)
    if rest > 0:
        drawn = [chance.gammavariate(1.0, 1.0) for _ in sizes]
        whole = sum(drawn)
        weights = [weight + rest * one / whole for weight, one in zip(weights, drawn, strict=True)]
    found: list[tuple[float, float]] = []
    step = max(1, math.ceil(len(sizes) / STRATA))
    for first in range(0, len(sizes), step):
        here = weights[first : first + step]
        number = sum(here)
        mean = sum(size * weight for size, weight in zip(sizes[first:], here, strict=False)) / number
        found.append((mean, number))
    return found
