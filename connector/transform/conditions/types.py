"""Conditions on a value's type."""

from __future__ import annotations

from collections.abc import Callable

from connector.model import JSON
from connector.transform.conditions.comparisons import negate
from connector.transform.declaration import Condition
from connector.transform.fields import boolean
from connector.transform.types import Predicate

__all__ = ["TYPES"]

STRICT = {"strict": boolean("Understood, and without effect: a JSON value has one type.", default=True)}


def _is(holds: Callable[[JSON], bool]) -> Callable[[bool], Predicate]:
    def build(strict: bool) -> Predicate:  # noqa: ARG001  what other platforms write along
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


def _pair(
    name: str, noun: str, holds: Callable[[JSON], bool], aliases: tuple[str, ...] = ()
) -> tuple[Condition, Condition]:
    build = _is(holds)
    opposites = tuple(f"not-{alias}" for alias in aliases)
    return (
        Condition(name, f"The value is {noun}.", STRICT, build, aliases=aliases),
        Condition(f"not-{name}", f"The value is not {noun}.", STRICT, negate(build), aliases=opposites),
    )


TYPES = (
    *_pair("type-array", "a list", lambda value: isinstance(value, list)),
    *_pair("type-object", "an object", lambda value: isinstance(value, dict)),
    *_pair("type-string", "a text", lambda value: isinstance(value, str)),
    *_pair("type-boolean", "true or false", lambda value: isinstance(value, bool)),
    *_pair("type-number", "a number", _number, ("type-float",)),
    *_pair("type-integer", "a whole number", lambda value: type(value) is int, ("type-int",)),
    *_pair("type-numeric", "a number, or a text that holds one", _holds_number),
)
