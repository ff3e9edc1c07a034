"""Prices of a model: rates by unit, by date, by prompt length and by processing tier."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date

__all__ = ["EVERY_TIER", "PER", "UNITS", "LongPrompt", "PriceList", "Rates", "Tier"]

MILLION = 1_000_000
PER: Mapping[str, int] = {
    "input": MILLION,
    "cached_input": MILLION,
    "cache_write": MILLION,
    "cache_write_12h": MILLION,
    "output": MILLION,
    "input_audio": MILLION,
    "cached_audio": MILLION,
    "output_audio": MILLION,
    "input_image": MILLION,
    "cached_image": MILLION,
    "output_image": MILLION,
    "characters": MILLION,
    "audio_hours": 1,
    "web_searches": 1000,
    "file_searches": 1000,
}
"""How many of a unit one rate is for: tokens and characters by the million, searches by the thousand."""
UNITS = tuple(PER)
FALLBACKS: Mapping[str, str] = {
    "cached_input": "input",
    "cache_write": "input",
    "input_audio": "input",
    "cached_audio": "input_audio",
    "output_audio": "output",
    "input_image": "input",
    "cached_image": "input_image",
    "output_image": "output",
}
"""The unit whose rate counts where a unit has none of its own."""
LENGTH_UNITS = (
    "input",
    "cached_input",
    "cache_write",
    "cache_write_12h",
    "input_audio",
    "cached_audio",
    "input_image",
    "cached_image",
)
EVERY_TIER: Mapping[str, float] = {
    "default": 1.0, "flex": 0.5, "batch": 0.5, "priority": 2.0, "window-2h": 0.7, "window-8h": 0.6,
}  # fmt: skip
"""What a processing tier multiplies the standard rates by, where a model does not say."""

LONG_WRITE = 2.0
"""What writing for 12 hours costs more than writing for half an hour, where a model does not say."""
SEARCHES = ("web_searches", "file_searches")

Rates = Mapping[str, float]


@dataclass(frozen=True, slots=True)
class LongPrompt:
    """The rates of a whole request whose prompt is longer than a number of tokens."""

    above: int
    rates: Rates


@dataclass(frozen=True, slots=True)
class PriceList:
    """The standard rates that hold from a date on; without one, from the beginning."""

    rates: Rates
    since: date | None = None
    long_prompt: LongPrompt | None = None

    def rate(self, unit: str, prompt: int = 0) -> float:
        """Return the rate of a unit for a request with this number of prompt tokens."""
        rates = self.rates
        if self.long_prompt is not None and prompt > self.long_prompt.above:
            rates = {**rates, **self.long_prompt.rates}
        if unit == "cache_write_12h" and unit not in rates:
            return LONG_WRITE * self.rate("cache_write", prompt)
        while unit not in rates and unit in FALLBACKS:
            unit = FALLBACKS[unit]
        return rates.get(unit, 0.0)

    def times(self, factor: float) -> PriceList:
        """Return these prices with a surcharge on everything but searches."""
        length = self.long_prompt
        if length is not None:
            length = LongPrompt(length.above, _surcharge(length.rates, factor))
        return PriceList(_surcharge(self.rates, factor), self.since, length)

    def amount(self, used: Mapping[str, float]) -> float:
        """Return what one request costs, given how much of each unit it used."""
        prompt = int(sum(used.get(unit, 0) for unit in LENGTH_UNITS))
        return sum(self.rate(unit, prompt) * count / PER[unit] for unit, count in used.items() if count)


@dataclass(frozen=True, slots=True)
class Tier:
    """What processing on a tier costs: the standard rates times a factor, or rates of its own for some units."""

    factor: float = 1.0
    since: date | None = None
    rates: Rates = field(default_factory=dict[str, float])
    long_prompt: LongPrompt | None = None

    def apply(self, standard: PriceList) -> PriceList:
        """Return the price list of this tier."""
        length = self.long_prompt
        if length is None and standard.long_prompt is not None:
            length = LongPrompt(standard.long_prompt.above, _times(standard.long_prompt.rates, self.factor))
        return PriceList({**_times(standard.rates, self.factor), **self.rates}, standard.since, length)


def _times(rates: Rates, factor: float) -> Rates:
    return {unit: rate * factor if PER[unit] == MILLION else rate for unit, rate in rates.items()}


def _surcharge(rates: Rates, factor: float) -> Rates:
    return {unit: rate if unit in SEARCHES else rate * factor for unit, rate in rates.items()}


def newest(lists: Iterable[PriceList], day: date) -> PriceList | None:
    """Return the price list that holds on a day."""
    found: PriceList | None = None
    for each in lists:
        if each.since is None or each.since <= day:
            found = each
    return found
