"""What operators do with values: where FEEL has no answer it is null, as for a text that is added to a number."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TypeGuard

from connector.model import JSON, is_document, is_list

__all__ = ["add", "arithmetic", "as_number", "compare", "conjunction", "disjunction", "equal", "index", "is_number",
           "member"]  # fmt: skip

EXACT = 2**53


def is_number(value: JSON) -> TypeGuard[int | float]:
    """Return whether a value is a number; true and false are none."""
    return isinstance(value, int | float) and not isinstance(value, bool)


def as_number(value: float) -> JSON:
    """Return a number as JSON has it: a whole one without a point, and null for what is none."""
    if not math.isfinite(value):
        return None
    return int(value) if isinstance(value, float) and value.is_integer() and abs(value) < EXACT else value


def add(one: JSON, other: JSON) -> JSON:
    """Return a sum of numbers, or texts joined."""
    if isinstance(one, str) and isinstance(other, str):
        return one + other
    return arithmetic("+", one, other)


def arithmetic(sign: str, one: JSON, other: JSON) -> JSON:
    """Return what an operator makes of two numbers; null for anything else."""
    if not is_number(one) or not is_number(other):
        return None
    try:
        if sign == "**":
            return None if abs(other) > 1024 or abs(one) > EXACT else as_number(float(one) ** other)
        made = {"+": one + other, "-": one - other, "*": one * other}
        return as_number(one / other if sign == "/" else made[sign])
    except (ArithmeticError, TypeError, ValueError):
        return None


def equal(one: JSON, other: JSON) -> JSON:
    """Return whether two values are equal; null where they are of kinds that cannot be."""
    if one is None or other is None:
        return one is None and other is None
    if is_list(one) and is_list(other):
        return len(one) == len(other) and all(equal(a, b) is True for a, b in zip(one, other, strict=True))
    if is_document(one) and is_document(other):
        return one.keys() == other.keys() and all(equal(one[name], other[name]) is True for name in one)
    return one == other if _kind(one) == _kind(other) else None


def compare(sign: str, one: JSON, other: JSON) -> JSON:
    """Return how two numbers or two texts are ordered; null for anything else."""
    if is_number(one) and is_number(other):
        return {"<": one < other, "<=": one <= other, ">": one > other, ">=": one >= other}[sign]
    if isinstance(one, str) and isinstance(other, str):
        return {"<": one < other, "<=": one <= other, ">": one > other, ">=": one >= other}[sign]
    return None


def conjunction(one: JSON, other: JSON) -> JSON:
    """Return `and` of three values: what is neither true nor false is null."""
    if one is False or other is False:
        return False
    return True if one is True and other is True else None


def disjunction(one: JSON, other: JSON) -> JSON:
    """Return `or` of three values."""
    if one is True or other is True:
        return True
    return False if one is False and other is False else None


def member(value: JSON, name: str) -> JSON:
    """Return a member of a context; of a list, that of each of its items."""
    if is_document(value):
        return value.get(name)
    return [member(one, name) for one in value] if is_list(value) else None


def index(value: JSON, place: JSON) -> JSON:
    """Return an item by its place: the first is 1, the last -1."""
    if not is_number(place):
        return None
    items: Sequence[JSON] = value if is_list(value) else [value]
    number = int(place)
    if number == 0 or abs(number) > len(items) or number != place:
        return None
    return items[number - 1] if number > 0 else items[number]


def _kind(value: JSON) -> str:
    if isinstance(value, bool):
        return "boolean"
    if is_number(value):
        return "number"
    return "text" if isinstance(value, str) else "list" if is_list(value) else "context"
