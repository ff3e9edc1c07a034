"""Whether a file's attributes pass the filter of a search."""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping

from connector.model import JSON
from connector.shapes import items

__all__ = ["passes"]

COMPARED: Mapping[str, Callable[[JSON, JSON], bool]] = {
    "eq": operator.eq,
    "ne": operator.ne,
    "gt": operator.gt,
    "gte": operator.ge,
    "lt": operator.lt,
    "lte": operator.le,
    "in": lambda found, allowed: found in items(allowed),
    "nin": lambda found, allowed: found not in items(allowed),
}
WITHOUT = ("ne", "nin")
"""What is true of an attribute that is not there."""


def passes(attributes: Mapping[str, JSON], wanted: Mapping[str, JSON] | None) -> bool:
    """Whether the attributes are as the comparison, or the comparisons joined by and or or, want them."""
    if not wanted:
        return True
    kind = wanted["type"]
    if kind in ("and", "or"):
        verdicts = [passes(attributes, one) for one in wanted["filters"]]
        return all(verdicts) if kind == "and" else any(verdicts)
    if wanted["key"] not in attributes:
        return kind in WITHOUT
    try:
        return COMPARED[kind](attributes[wanted["key"]], wanted["value"])
    except TypeError:  # text is neither above nor below a number
        return False
