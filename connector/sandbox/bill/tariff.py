"""What things cost in a sandbox: the prices as they stand in the registry's file, applied by the sandbox itself.

It shares the file with the connector, and no code: aliases, dates, lengths of prompts, tiers and regions are read here
a second time, in decimals, so that a difference between the bill and the connector's sums shows a fault of one of them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

import orjson

from connector.model import JSON, is_list, is_object, members
from connector.yaml import DECLARATIONS, read_yaml

__all__ = ["Charge", "Tariff"]

DATED = re.compile(r"-\d{4}-\d{2}-\d{2}$")
MILLION = Decimal(1_000_000)
NOTHING: Mapping[str, JSON] = {}


class Unit(NamedTuple):
    """A unit that is charged: its rates, the first that a model has counts, and how a cost report shows it."""

    rates: tuple[str, ...]
    words: str
    quantity_unit: str = "tokens"
    per: Decimal = MILLION
    factor: Decimal = Decimal(1)
    has_tiers: bool = True
    """Whether service tiers and regions change its price."""


UNITS: Mapping[str, Unit] = {
    "in_text": Unit(("input",), "input"),
    "in_cached": Unit(("cached_input", "input"), "cached input"),
    "write_30m": Unit(("cache_write", "input"), "cache write"),
    "write_12h": Unit(("cache_write", "input"), "cache write, 12 hours", factor=Decimal(2)),
    "in_audio": Unit(("input_audio", "input"), "audio input"),
    "in_cached_audio": Unit(("cached_audio", "input_audio", "input"), "cached audio input"),
    "in_image": Unit(("input_image", "input"), "image input"),
    "in_cached_image": Unit(("cached_image", "input_image", "input"), "cached image input"),
    "out_text": Unit(("output",), "output"),
    "out_audio": Unit(("output_audio", "output"), "audio output"),
    "out_image": Unit(("output_image", "output"), "image output"),
    "characters": Unit(("characters",), "characters", "characters"),
    "seconds": Unit(("audio_hours",), "audio", "duration_seconds", Decimal(3600)),
}
SEARCHES: Mapping[str, Unit] = {
    "web_search_calls": Unit(("web_searches",), "web search", "1000_calls", Decimal(1000), has_tiers=False),
    "file_search_calls": Unit(("file_searches",), "file search", "1000_calls", Decimal(1000), has_tiers=False),
}
FACTORS: Mapping[str, str] = {
    "default": "1", "standard": "1", "scale": "1", "batch": "0.5", "flex": "0.5", "priority": "2",
    "window-2h": "0.7", "window-8h": "0.6",
}  # fmt: skip


class Charge(NamedTuple):
    """What a quantity costs, as one line of a bill."""

    line_item: str
    amount: Decimal
    quantity: float
    quantity_unit: str


class Tariff:
    """The prices of a catalogue folder's registry."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    @cached_property
    def _models(self) -> Mapping[str, JSON]:
        compiled, written = (self._folder / "models" / name for name in ("registry.json", "registry.yaml"))
        if compiled.exists():
            return members(members(members(orjson.loads(compiled.read_bytes())).get("registry")).get("models"))
        found = read_yaml(written.read_bytes(), str(written), DECLARATIONS) if written.exists() else None
        return members(members(found).get("models"))

    @cached_property
    def _aliases(self) -> Mapping[str, str]:
        return {
            str(alias): name for name, facts in self._models.items() for alias in (members(facts).get("aliases") or ())
        }

    def find(self, model: str) -> Mapping[str, JSON]:
        """Return the facts of a model, by its name, an alias, or the name of a snapshot."""
        for name in (model, DATED.sub("", model)):
            known = self._models.get(self._aliases.get(name, name))
            if is_object(known):
                return known
        starts = {alias[:-1]: name for alias, name in self._aliases.items() if alias.endswith("*")}
        for start in sorted(starts, key=len, reverse=True):
            if model.startswith(start):
                return members(self._models[starts[start]])
        return self.find(model.split(":")[1]) if model.startswith("ft:") and model.count(":") > 1 else NOTHING

    def is_long(self, model: str, prompt: float) -> bool:
        """Return whether a prompt is so long that other prices count for the whole request."""
        if prompt < 1000:
            return False
        above = (members(members(each).get("above")).get("tokens") for each in self.find(model).get("prices") or ())
        return any(isinstance(tokens, int) and prompt > tokens for tokens in above)

    def charges(
        self, report: str, model: str, tier: str, units: Mapping[str, float], *, at: int, long: bool, regional: bool
    ) -> Iterator[Charge]:
        """Yield what was used as lines of a bill.

        Args:
            report: the report that it is in.
            model: the model that was used.
            tier: the service tier, `batch`, or a background window.
            units: how much of each unit was used.
            at: when, in seconds since 1970.
            long: whether the prompts were so long that other prices count.
            regional: whether it was processed at a regional address.
        """
        facts = self.find(model)
        day = datetime.fromtimestamp(at, UTC).date().isoformat()
        rates = self._rates(facts, tier, day, long=long)
        surcharge = Decimal(str(facts.get("regional", 1))) if regional else Decimal(1)
        for name, quantity in units.items():
            unit = SEARCHES.get(report) if name == "searches" else UNITS.get(name)
            rate = next((rates[each] for each in unit.rates if each in rates), None) if unit is not None else None
            if unit is None or rate is None or not quantity:
                continue
            amount = rate * unit.factor * Decimal(str(quantity)) / unit.per
            amount *= surcharge if unit.has_tiers else 1
            yield Charge(f"{model}, {unit.words}", amount, quantity, unit.quantity_unit)

    def _rates(self, facts: Mapping[str, JSON], tier: str, day: str, *, long: bool) -> dict[str, Decimal]:
        lists = [members(each) for each in facts.get("prices") or () if str(members(each).get("since", "")) <= day]
        if not lists:
            return {}
        standard = lists[-1]
        above = _numbers(members(standard.get("above"))) if long else {}
        if tier in ("default", "standard", "scale", "auto", ""):
            return {**_numbers(standard), **above}
        own = members(members(facts.get("tiers")).get(tier))
        if not own or str(own.get("since", "")) > day:
            own = {"factor": FACTORS.get(tier, "2")}
        factor = Decimal(str(own.get("factor", 1)))
        if long and "above" in own:
            return {**_scale(_numbers(standard), factor), **_numbers(own), **_numbers(members(own["above"]))}
        return {**_scale(_numbers(standard), factor), **_numbers(own), **_scale(above, factor)}


def _numbers(rates: Mapping[str, JSON]) -> dict[str, Decimal]:
    skipped = ("since", "above", "factor", "tokens")
    return {
        name: Decimal(str(rate))
        for name, rate in rates.items()
        if name not in skipped and not is_list(rate) and not is_object(rate)
    }


def _scale(rates: Mapping[str, Decimal], factor: Decimal) -> dict[str, Decimal]:
    """Return rates of a tier; hours and searches cost the same in each."""
    return {
        name: rate if name in ("audio_hours", "web_searches", "file_searches") else rate * factor
        for name, rate in rates.items()
    }
