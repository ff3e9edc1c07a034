"""Turns what a validator refuses into faults a person can act on.

The verdict's own errors are used, not those of a second validator: they name the branches of a union with the reasons
of each, which is what narrowing to the branch that was meant needs, and they never disagree with the verdict.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from itertools import chain
from typing import cast

from connector.documents import member_path
from connector.model import JSON, Fault, members
from connector.request.display import describe_value, list_choices, show_value
from connector.request.novelty import Novelty, report_unknown_choice, report_unknown_field
from connector.request.schema_fields import find_fields_at
from connector.request.unions import (
    MOST_EXPLAINED,
    UNEVALUATED,
    UNKNOWN,
    Refusal,
    find_alternatives,
    find_meant,
    is_unmet,
)

__all__ = ["describe_refusal", "explain_refusals", "find_unknown_fields", "list_types", "report_unexplained"]

Elsewhere = Mapping[tuple[str | int, ...], Collection[str]]
"""The names that other branches of a union, which may have been meant too, know at a place."""
ELSEWHERE = {
    UNEVALUATED: "only an alternative that is not met declares it",
    "additionalProperties": "the schema declares it elsewhere, but `additionalProperties` counts its neighbours only",
}
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


def explain_refusals(refusals: Iterable[Refusal], instance: JSON, schema: JSON, where: str) -> list[Fault]:
    """Return every fault, unions narrowed to the branch that was meant; at least one where anything was refused."""
    refused = list(refusals)
    reasons = [refusal.instance_path for refusal in refused if not _is_unknown_field(refusal)]
    found = chain.from_iterable(_find_faults(refusal, instance, schema, where, reasons) for refusal in refused)
    return list(dict.fromkeys(found)) or [_report_keyword(refusal, instance, where) for refusal in refused[:1]]


def report_unexplained(value: JSON, where: str) -> Fault:
    """Return the fault of a value that a schema refuses in too many ways to name them."""
    return Fault(
        where, f"found {describe_value(value, where)}", "refused by the schema, in more ways than can be listed"
    )


def find_unknown_fields(refusals: Iterable[Refusal], instance: JSON, schema: JSON, where: str) -> list[Novelty]:
    """Return the fields that no declaration knows, unions narrowed to the branch that was meant."""
    return list(dict.fromkeys(_iter_unknown_fields(refusals, instance, schema, where, {})))


def _iter_unknown_fields(
    refusals: Iterable[Refusal], instance: JSON, schema: JSON, where: str, elsewhere: Elsewhere
) -> Iterable[Novelty]:
    for refusal in refusals:
        if is_unmet(refusal):
            value = locate("", instance, refusal.instance_path)[1]
            known = {tuple(refusal.instance_path): _find_known(find_alternatives(refusal, value), refusal, schema)}
            yield from _iter_unknown_fields(find_meant(refusal, value), instance, schema, where, {**elsewhere, **known})
        elif _is_unknown_field(refusal):
            yield from _report_unknown(
                refusal, instance, schema, where, elsewhere.get(tuple(refusal.instance_path), ())
            )


def _find_known(branches: Iterable[Iterable[Refusal]], union: Refusal, schema: JSON) -> dict[str, JSON]:
    """Return the fields that branches know at the place of their union."""
    known: dict[str, JSON] = {}
    for refusal in chain.from_iterable(branches):
        if _is_unknown_field(refusal) and refusal.instance_path == union.instance_path:
            known |= find_fields_at(schema, refusal.schema_path)
    return known


def _find_faults(
    refusal: Refusal, instance: JSON, schema: JSON, where: str, reasons: list[list[str | int]]
) -> Iterable[Fault]:
    if is_unmet(refusal):
        branch = _find_branch(refusal, instance)
        return (
            explain_refusals(branch, instance, schema, where) if branch else [_report_union(refusal, instance, where)]
        )
    if _is_unknown_field(refusal):
        unknown = _report_unknown(refusal, instance, schema, where)
        return (
            unknown if _is_echo(refusal, reasons) else [*unknown, *_report_misplaced(refusal, instance, schema, where)]
        )
    place, value = locate(where, instance, refusal.instance_path)
    if refusal.kind.name in ("enum", "const"):
        return [report_unknown_choice(place, _find_field(refusal), value, _find_choices(refusal), tells_apart=False)]
    if refusal.kind.name == "required":
        return [Fault(member_path(place, refusal.kind.property), "missing", "this field is required")]
    return [Fault(place, *describe_refusal(refusal, value, place))]


def _is_unknown_field(refusal: Refusal) -> bool:
    # An object that declares no fields at all is closed by the schema `false`.
    name = refusal.kind.name
    return name in UNKNOWN or (name == "falseSchema" and refusal.schema_path[-1:] == ["additionalProperties"])


def _is_echo(refusal: Refusal, reasons: list[list[str | int]]) -> bool:
    """Return whether fields may be left over only because a composition there is refused for another reason."""
    base = refusal.instance_path
    return bool(refusal.kind.name == UNEVALUATED and any(path[: len(base)] == base for path in reasons))


def _find_branch(refusal: Refusal, instance: JSON) -> list[Refusal]:
    return find_meant(refusal, locate("", instance, refusal.instance_path)[1])


def _report_union(refusal: Refusal, instance: JSON, where: str) -> Fault:
    """Return one fault for a union none of whose branches was nearly met: everything that it allows."""
    place, value = locate(where, instance, refusal.instance_path)
    types: dict[str, None] = {}
    options: list[JSON] = []
    for inner in _iter_leaves(refusal):
        if inner.kind.name == "type":
            types |= dict.fromkeys(inner.kind.types)
        elif inner.kind.name in ("enum", "const"):
            options += _find_choices(inner)
    if options and (isinstance(value, str) or not types):
        return report_unknown_choice(place, _find_field(refusal), value, options, tells_apart=True)
    if types:
        return Fault(place, f"found {describe_value(value, place)}", list_types(types))
    return Fault(
        place, f"found {describe_value(value, place)}", f"none of {len(refusal.kind.context)} alternatives is met"
    )


def _find_choices(refusal: Refusal) -> list[JSON]:
    return [refusal.kind.expected_value] if refusal.kind.name == "const" else refusal.kind.options


def _find_field(refusal: Refusal) -> str:
    """Return the last name on the path of a refusal."""
    return next((step for step in reversed(refusal.instance_path) if isinstance(step, str)), "")


def _iter_leaves(refusal: Refusal) -> Iterable[Refusal]:
    for branch in refusal.kind.context:
        for inner in branch:
            if inner.instance_path != refusal.instance_path:
                continue
            if is_unmet(inner):
                yield from _iter_leaves(inner)
            else:
                yield inner


def _report_unknown(
    refusal: Refusal, instance: JSON, schema: JSON, where: str, elsewhere: Collection[str] = ()
) -> list[Novelty]:
    place, value = locate(where, instance, refusal.instance_path)
    known = find_fields_at(schema, refusal.schema_path)
    names = [name for name in _find_unexpected(refusal, value) if name not in known]
    return [report_unknown_field(place, name, known, elsewhere, members(value)) for name in names[:MOST_EXPLAINED]]


def _report_misplaced(refusal: Refusal, instance: JSON, schema: JSON, where: str) -> list[Fault]:
    """Return faults for the fields that the schema knows by name, but at another place."""
    place, value = locate(where, instance, refusal.instance_path)
    known = find_fields_at(schema, refusal.schema_path)
    allowed = ELSEWHERE[refusal.schema_path[-1]]
    names = [name for name in _find_unexpected(refusal, value) if name in known]
    return [Fault(member_path(place, name), "not allowed here", allowed) for name in names[:MOST_EXPLAINED]]


def _find_unexpected(refusal: Refusal, value: JSON) -> Iterable[str]:
    return cast("Iterable[str]", getattr(refusal.kind, "unexpected", members(value)))


def _report_keyword(refusal: Refusal, instance: JSON, where: str) -> Fault:
    place, value = locate(where, instance, refusal.instance_path)
    keyword = "/".join(str(step) for step in refusal.schema_path)
    return Fault(place, f"found {describe_value(value, place)}", f"refused by the schema at /{keyword}")


def locate(where: str, instance: JSON, path: Iterable[str | int]) -> tuple[str, JSON]:
    """Return the place in words, `payload.messages[0].content`, and the value there."""
    for step in path:
        # A validator's path says 1 for the item 1 and for the member "1" alike.
        key = str(step) if isinstance(instance, dict) else step
        where, instance = member_path(where, key), cast("Mapping[str | int, JSON]", instance)[key]
    return where, instance


def describe_refusal(refusal: Refusal, value: JSON, place: str) -> Words:
    """Return why one keyword refuses a value."""
    given, name = refusal.kind, refusal.kind.name
    if name == "type":
        return f"found {describe_value(value, place)}", list_types(given.types)
    if name == "enum":
        return f"found {show_value(value, place)}", *list_choices(value, given.options)
    if name == "const":
        return f"found {show_value(value, place)}", *list_choices(value, [given.expected_value])
    if name in BOUNDS:
        return f"found {show_value(value, place)}", f"{BOUNDS[name]} {given.limit} is allowed"
    if name in SIZES:
        return _describe_size(name, len(value), given.limit)
    if name == "propertyNames":
        found, *rest = describe_refusal(given.error, given.error.instance, place)
        return f"its field name {show_value(given.error.instance, place)}: {found}", *rest  # type: ignore[return-value]  # as long as any
    return _describe_keyword(refusal, value, place)


def _describe_keyword(refusal: Refusal, value: JSON, place: str) -> Words:
    given, name = refusal.kind, refusal.kind.name
    if name == "pattern":
        return f"found {show_value(value, place)}", f"text that matches {given.pattern} is allowed"
    if name == "format":
        return f"found {show_value(value, place)}", f"text of the format {given.format} is allowed"
    if name == "multipleOf":
        return f"found {show_value(value, place)}", f"a multiple of {given.multiple_of} is allowed"
    return f"found {describe_value(value, place)}", OTHERS.get(
        name, f"the declaration's {name!r} allows something else"
    )


def list_types(types: Iterable[str]) -> str:
    """Return the sentence for the types that are allowed, null last."""
    given = list(types)
    names = [TYPES[name] for name in given if name != "integer" or "number" not in given]
    ordered = sorted(names, key=lambda name: name == "null")
    words = ordered[0] if len(ordered) == 1 else f"{', '.join(ordered[:-1])} or {ordered[-1]}"
    return f"{words} is allowed"


def _describe_size(name: str, size: int, limit: int) -> tuple[str, str]:
    word, unit = SIZES[name]
    plural = "" if size == 1 else "s"
    return f"found {size} {unit}{plural}", f"{word} {limit} {'is' if limit == 1 else 'are'} allowed"
