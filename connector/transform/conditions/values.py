"""Conditions on one value: equality, order, emptiness, type, patterns, containment; and their negations."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from connector.model import JSON, is_document, is_list
from connector.transform.context import Scope
from connector.transform.declaration import Condition
from connector.transform.errors import Unfit
from connector.transform.fields import boolean, template, text
from connector.transform.placeholders import to_text
from connector.transform.regex import compile_regex
from connector.transform.template import Resolve, Template
from connector.transform.types import Predicate

__all__ = ["COMPARISONS", "MATCHES", "TYPES", "is_empty", "negate", "same"]


def same(left: JSON, right: JSON) -> bool:
    """Whether values are equal in JSON: 1 and 1.0 are one number, but neither is true, and "1" is text."""
    if isinstance(left, bool) or isinstance(right, bool):
        return left is right
    if is_document(left) and is_document(right):
        return left.keys() == right.keys() and all(same(value, right[key]) for key, value in left.items())
    if is_list(left) and is_list(right):
        return len(left) == len(right) and all(map(same, left, right))
    if isinstance(left, dict | list) and isinstance(right, dict | list):
        # Platforms that know one kind of container write an empty map as an empty list.
        return not left and not right
    return bool(left == right)


def is_empty(value: JSON) -> bool:
    """Whether a value is null, or an empty text, list or object."""
    return value is None or (isinstance(value, str | list | dict) and not value)


def negate(verdict: Callable[..., Predicate]) -> Callable[..., Predicate]:
    """Return the build of the opposite condition."""

    def build(**fields: Any) -> Predicate:
        holds = verdict(**fields)
        return lambda value, document, scope: not holds(value, document, scope)

    return build


def _build_equals(value: Template) -> Predicate:
    resolve = value.resolve
    return lambda found, document, scope: same(found, resolve(document, scope))


def _build_one_of(value: Template) -> Predicate:
    resolve = value.resolve

    def holds(found: JSON, document: JSON, scope: Scope) -> bool:
        options = resolve(document, scope)
        if not is_list(options):
            raise Unfit("one-of needs a list of values to compare with")
        return any(same(found, option) for option in options)

    return holds


def _build_empty() -> Predicate:
    return lambda found, _document, _scope: is_empty(found)


def _build_order(compare: Callable[[Any, Any], bool]) -> Callable[[Template], Predicate]:
    def build(value: Template) -> Predicate:
        resolve = value.resolve

        def holds(found: JSON, document: JSON, scope: Scope) -> bool:
            pair = _make_comparable(found, resolve(document, scope))
            return pair is not None and compare(*pair)

        return holds

    return build


def _make_comparable(left: JSON, right: JSON) -> tuple[Any, Any] | None:
    """Return both as numbers or both as text; None when they have no common order."""
    if isinstance(left, str) and isinstance(right, str):
        numbers = _as_number(left), _as_number(right)
        return (left, right) if None in numbers else numbers
    numbers = _as_number(left), _as_number(right)
    return None if None in numbers else numbers


def _as_number(value: JSON) -> float | int | None:
    if isinstance(value, bool):
        return None
    if isinstance(value, int | float):
        return value
    if not isinstance(value, str):
        return None
    try:
        return int(value) if value.lstrip("-").isdecimal() and len(value) < 25 else float(value)
    except ValueError:
        return None


VALUE = {"value": template("What to compare with; its placeholders read the document.", required=True)}
OTHER = {"value": template("What to compare with; its placeholders read the document.")}
NUMBER = {"value": template("The bound; texts that hold numbers are compared as numbers.", required=True)}
OPTIONS = {"value": template("The list of values.", required=True, aliases=("values",))}


def _with_negation(
    name: str, opposite: str, summaries: tuple[str, str], fields: Any, build: Any, sole: str
) -> tuple[Condition, Condition]:
    return (
        Condition(name, summaries[0], fields, build, sole=sole),
        Condition(opposite, summaries[1], fields, negate(build), sole=sole),
    )


COMPARISONS = (
    *_with_negation(
        "equals", "not-equals", ("The value is this one.", "The value is another one."), OTHER, _build_equals, "value"
    ),
    *_with_negation(
        "one-of",
        "not-one-of",
        ("The value is one of these.", "The value is none of these."),
        OPTIONS,
        _build_one_of,
        "value",
    ),
    *_with_negation(
        "empty",
        "not-empty",
        ("Nothing is there: null, or empty text, list or object.", "Something is there."),
        {},
        _build_empty,
        "",
    ),
    *_with_negation(
        "greater-than",
        "not-greater-than",
        ("The value is more than this one.", "The value is not more than this one."),
        NUMBER,
        _build_order(lambda left, right: left > right),
        "value",
    ),
    *_with_negation(
        "less-than",
        "not-less-than",
        ("The value is less than this one.", "The value is not less than this one."),
        NUMBER,
        _build_order(lambda left, right: left < right),
        "value",
    ),
)


def _build_matches(pattern: Resolve) -> Predicate:
    def holds(found: JSON, document: JSON, scope: Scope) -> bool:
        if found is None or isinstance(found, dict | list):
            return False
        return compile_regex(pattern(document, scope)).search(to_text(found)) is not None

    return holds


def _build_contains(value: Template) -> Predicate:
    resolve = value.resolve

    def holds(found: JSON, document: JSON, scope: Scope) -> bool:
        wanted = resolve(document, scope)
        if isinstance(found, str):
            return to_text(wanted) in found
        return is_list(found) and any(same(item, wanted) for item in found)

    return holds


PATTERN = {
    "pattern": text(
        "A regular expression in RE2 syntax, found anywhere in the text.", required=True, aliases=("value", "regex")
    )
}
HELD = {"value": template("The text or item to look for.", required=True)}
MATCHES = (
    Condition("matches", "The text matches a regular expression.", PATTERN, _build_matches, sole="pattern"),
    Condition(
        "not-matches", "The text does not match a regular expression.", PATTERN, negate(_build_matches), sole="pattern"
    ),
    Condition("contains", "The text or list holds this.", HELD, _build_contains, sole="value"),
    Condition("not-contains", "The text or list does not hold this.", HELD, negate(_build_contains), sole="value"),
)


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


def _type_pair(
    name: str, noun: str, holds: Callable[[JSON], bool], aliases: tuple[str, ...] = ()
) -> tuple[Condition, Condition]:
    build = _build_type(holds)
    opposites = tuple(f"not-{alias}" for alias in aliases)
    return (
        Condition(name, f"The value is {noun}.", STRICT, build, aliases=aliases),
        Condition(f"not-{name}", f"The value is not {noun}.", STRICT, negate(build), aliases=opposites),
    )


TYPES = (
    *_type_pair("type-array", "a list", lambda value: isinstance(value, list)),
    *_type_pair("type-object", "an object", lambda value: isinstance(value, dict)),
    *_type_pair("type-string", "a text", lambda value: isinstance(value, str)),
    *_type_pair("type-boolean", "true or false", lambda value: isinstance(value, bool)),
    *_type_pair("type-number", "a number", _is_number, ("type-float",)),
    *_type_pair("type-integer", "a whole number", lambda value: type(value) is int, ("type-int",)),
    *_type_pair("type-numeric", "a number, or a text that holds one", _is_numeric),
)
