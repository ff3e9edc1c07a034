"""Numbers within a schema's bounds and on its steps."""

from __future__ import annotations

import math
from collections.abc import Mapping
from decimal import Decimal

from connector.model import JSON
from connector.sandbox.answers.dice import Dice

__all__ = ["number"]

SPAN = 100
"""How far from its lower bound an open number goes."""


def number(facts: Mapping[str, JSON], place: str, dice: Dice, *, whole: bool) -> int | float:
    """A number that keeps to the facts; where nothing lies between the bounds, the lower one."""
    step = Decimal(str(facts.get("multipleOf") or (1 if whole else "0.01")))
    if whole and step != step.to_integral_value():
        step = Decimal(step.as_integer_ratio()[0])
    low, high = _lowest(facts, step), _highest(facts, step)
    if low is None:
        low = 0 if high is None or high >= 0 else high - SPAN
    if high is None:
        high = low + SPAN * (1 if whole else 100)
    if high < low and "multipleOf" not in facts and not whole:
        return _between(facts)
    turns = low + dice.number(place, max(1, high - low + 1))
    return int(turns * step) if whole or facts.get("type") == "integer" else float(turns * step)


def _lowest(facts: Mapping[str, JSON], step: Decimal) -> int | None:
    """The first step that is not too low."""
    found = [math.ceil(Decimal(str(facts["minimum"])) / step)] if _has(facts, "minimum") else []
    if _has(facts, "exclusiveMinimum"):
        found.append(math.floor(Decimal(str(facts["exclusiveMinimum"])) / step) + 1)
    return max(found, default=None)


def _highest(facts: Mapping[str, JSON], step: Decimal) -> int | None:
    """The last step that is not too high."""
    found = [math.floor(Decimal(str(facts["maximum"])) / step)] if _has(facts, "maximum") else []
    if _has(facts, "exclusiveMaximum"):
        found.append(math.ceil(Decimal(str(facts["exclusiveMaximum"])) / step) - 1)
    return min(found, default=None)


def _between(facts: Mapping[str, JSON]) -> float:
    """The middle of bounds that are closer than a step."""
    low = facts.get("minimum", facts.get("exclusiveMinimum", 0))
    high = facts.get("maximum", facts.get("exclusiveMaximum", low))
    return float(low + high) / 2


def _has(facts: Mapping[str, JSON], name: str) -> bool:
    return isinstance(facts.get(name), int | float) and not isinstance(facts.get(name), bool)
