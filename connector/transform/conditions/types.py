"""Conditions on a value's type."""

from __future__ import annotations

from collections.abc import Callable

from connector.model import JSON
from connector.transform.declaration import Condition, Verdict
from connector.transform.fields import boolean

__all__ = ["TYPES"]

STRICT = {"strict": boolean("Understood, and without effect: a JSON value has one type.", default=True)}


def _is(holds: Callable[[JSON], bool]) -> Callable[[bool], Verdict]:
    def build(strict: bool) -> Verdict:  # noqa: ARG001  what other platforms write along
        return lambda value, _document, _scope: holds(value)

    return build


def _number(value: JSON) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _holds_number(value: JSON) -> bool:
    """A number, or a text that is one."""
    if not isinstance(value, str):
        return _number(value)
    try:
        float(value)
    except ValueError:
        return False
    return True


TYPES = (
    Condition("type-array", "The value is a list.", STRICT, _is(lambda value: isinstance(value, list))),
    Condition("type-object", "The value is an object.", STRICT, _is(lambda value: isinstance(value, dict))),
    Condition("type-string", "The value is a text.", STRICT, _is(lambda value: isinstance(value, str))),
    Condition("type-boolean", "The value is true or false.", STRICT, _is(lambda value: isinstance(value, bool))),
    Condition("type-number", "The value is a number.", STRICT, _is(_number), aliases=("type-float",)),
    Condition(
        "type-integer",
        "The value is a whole number.",
        STRICT,
        _is(lambda value: type(value) is int),
        aliases=("type-int",),
    ),
    Condition("type-numeric", "The value is a number, or a text that holds one.", STRICT, _is(_holds_number)),
)
