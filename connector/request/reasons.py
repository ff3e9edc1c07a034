"""The words for each keyword of a JSON Schema that refuses a value: what was found, and what is allowed."""

from __future__ import annotations

from collections.abc import Iterable

from connector.model import JSON
from connector.request.shown import kind, listed, shown
from connector.request.union import Refusal
from connector.suggestions import closest, did_you_mean

__all__ = ["allowed_types", "one_of", "reason"]

Words = tuple[str, str] | tuple[str, str, str]
"""What was found, what is allowed, and what was probably meant."""

TYPES = {
    "string": "text",
    "integer": "an integer",
    "number": "a number",
    "boolean": "true or false",
    "object": "an object",
    "array": "an array",
    "null": "null",
}
BOUNDS = {"minimum": "at least", "maximum": "at most", "exclusiveMinimum": "more than", "exclusiveMaximum": "less than"}
SIZES = {
    "minLength": ("at least", "character"),
    "maxLength": ("at most", "character"),
    "minItems": ("at least", "item"),
    "maxItems": ("at most", "item"),
    "minProperties": ("at least", "field"),
    "maxProperties": ("at most", "field"),
}
OTHERS = {
    "uniqueItems": "each item may stand once",
    "oneOf": "more than one alternative is met; exactly one is allowed",
    "not": "this combination is not allowed",
    "falseSchema": "nothing is allowed here",
    "contains": "the declaration counts items of one kind, and there are too few or too many",
    "additionalItems": "it has more items than are declared",
    "unevaluatedItems": "it has more items than are declared",
}


def reason(refusal: Refusal, value: JSON, place: str) -> Words:
    """Return why one keyword refuses a value."""
    given, name = refusal.kind, refusal.kind.name
    if name == "type":
        return f"found {kind(value, place)}", allowed_types(given.types)
    if name == "enum":
        return f"found {shown(value, place)}", *one_of(value, given.options)
    if name == "const":
        return f"found {shown(value, place)}", *one_of(value, [given.expected_value])
    if name in BOUNDS:
        return f"found {shown(value, place)}", f"{BOUNDS[name]} {given.limit} is allowed"
    if name in SIZES:
        return _size(name, len(value), given.limit)
    if name == "propertyNames":
        found, *rest = reason(given.error, given.error.instance, place)
        return f"its field name {shown(given.error.instance, place)}: {found}", *rest  # type: ignore[return-value]  # as long as any
    return _by_name(refusal, value, place)


def _by_name(refusal: Refusal, value: JSON, place: str) -> Words:
    given, name = refusal.kind, refusal.kind.name
    if name == "pattern":
        return f"found {shown(value, place)}", f"text that matches {given.pattern} is allowed"
    if name == "format":
        return f"found {shown(value, place)}", f"text of the format {given.format} is allowed"
    if name == "multipleOf":
        return f"found {shown(value, place)}", f"a multiple of {given.multiple_of} is allowed"
    return f"found {kind(value, place)}", OTHERS.get(name, f"the declaration's {name!r} allows something else")


def allowed_types(types: Iterable[str]) -> str:
    """Return the sentence for the types that are allowed, null last."""
    given = list(types)
    names = [TYPES[name] for name in given if name != "integer" or "number" not in given]
    ordered = sorted(names, key=lambda name: name == "null")
    words = ordered[0] if len(ordered) == 1 else f"{', '.join(ordered[:-1])} or {ordered[-1]}"
    return f"{words} is allowed"


def one_of(value: JSON, options: list[JSON]) -> tuple[str, str]:
    """Return the choices there are, and the one that was probably meant."""
    unique = list(dict.fromkeys(shown(option) for option in options))
    names = [option for option in options if isinstance(option, str)]
    hint = did_you_mean(closest(value, names)) if isinstance(value, str) else ""
    return f"allowed: {listed(unique)}", hint


def _size(name: str, size: int, limit: int) -> tuple[str, str]:
    word, unit = SIZES[name]
    plural = "" if size == 1 else "s"
    return f"found {size} {unit}{plural}", f"{word} {limit} {'is' if limit == 1 else 'are'} allowed"
