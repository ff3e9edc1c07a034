"""`type-*`: conditions on the type of a value."""

from __future__ import annotations

from collections.abc import Callable

from connector.model import JSON
from connector.transform.conditions.comparisons import negate
from connector.transform.declaration import Condition
from connector.transform.fields import boolean
from connector.transform.types import Predicate

__all__ = ["TYPES"]

STRICT = {"strict": boolean("Understood, and without effect: a JSON value has one type.", default=True)}


def _build_type(holds: Callable[[JSON], bool]) -> Callable[[bool], Predicate]:
    def build(strict: bool) -> Predicate:  # noqa: ARG001  what other platforms write along
        return lambda value, _document, _scope: holds(value)

    return build


def _is_number(value: JSON) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_numeric(value: JSON) -> bool:
    """Whether a value is a number, or a text that holds one."""
    if not isinstance(value, str):
        return _is_number(value)
    try:
        float(value)
    except ValueError:
        return False
    return True


def _with_negation(
    name: str, noun: str, holds: Callable[[JSON], bool], aliases: tuple[str, ...] = ()
) -> tuple[Condition, Condition]:
    build = _build_type(holds)
    opposites = tuple(f"not-{alias}" for alias in aliases)
    return (
        Condition(name, f"The value is {noun}.", STRICT, build, aliases=aliases),
        Condition(f"not-{name}", f"The value is not {noun}.", STRICT, negate(build), aliases=opposites),
    )


TYPES = (
    *_with_negation("type-array", "a list", lambda value: isinstance(value, list)),
    *_with_negation("type-object", "an object", lambda value: isinstance(value, dict)),
    *_with_negation("type-string", "a text", lambda value: isinstance(value, str)),
    *_with_negation("type-boolean", "true or false", lambda value: isinstance(value, bool)),
    *_with_negation("type-number", "a number", _is_number, ("type-float",)),
    *_with_negation("type-integer", "a whole number", lambda value: type(value) is int, ("type-int",)),
    *_with_negation("type-numeric", "a number, or a text that holds one", _is_numeric),
)
