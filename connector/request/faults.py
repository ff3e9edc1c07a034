"""Turns what a validator refuses into faults a person can act on.

The verdict's own errors are used, not those of a second validator: they name the branches of a union with the reasons
of each, which is what narrowing to the branch that was meant needs, and they never disagree with the verdict.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import chain
from typing import cast

from connector.documents import spot
from connector.model import JSON, Fault
from connector.request.fields import fields_at
from connector.request.reasons import allowed_types, one_of, reason
from connector.request.shown import kind, listed, shown
from connector.request.union import Refusal, is_unmet, meant
from connector.shapes import members
from connector.suggest import closest, did_you_mean

__all__ = ["explain", "unknown_fields"]

UNEVALUATED = "unevaluatedProperties"
UNKNOWN = ("additionalProperties", UNEVALUATED)
ELSEWHERE = {
    UNEVALUATED: "only an alternative that is not met declares it",
    "additionalProperties": "the schema declares it elsewhere, but `additionalProperties` counts its neighbours only",
}


def explain(refusals: Iterable[Refusal], instance: JSON, schema: JSON, where: str) -> list[Fault]:
    """Return every fault, unions narrowed to the branch that was meant; at least one where anything was refused."""
    refused = list(refusals)
    reasons = [refusal.instance_path for refusal in refused if not _names_unknown(refusal)]
    found = chain.from_iterable(_faults(refusal, instance, schema, where, reasons) for refusal in refused)
    return list(dict.fromkeys(found)) or [_unexplained(refusal, instance, where) for refusal in refused[:1]]


def unknown_fields(refusals: Iterable[Refusal], instance: JSON, schema: JSON, where: str) -> list[tuple[int, Fault]]:
    """The fields that no declaration knows, with how deep the object stands that holds them."""
    found: dict[tuple[int, Fault], None] = {}
    for refusal in refusals:
        if is_unmet(refusal):
            inner = unknown_fields(_branch(refusal, instance), instance, schema, where)
            found |= dict.fromkeys(inner)
        elif _names_unknown(refusal):
            depth = len(refusal.instance_path)
            found |= dict.fromkeys((depth, fault) for fault in _unknown(refusal, instance, schema, where))
    return list(found)


def _faults(
    refusal: Refusal, instance: JSON, schema: JSON, where: str, reasons: list[list[str | int]]
) -> Iterable[Fault]:
    if is_unmet(refusal):
        branch = _branch(refusal, instance)
        return explain(branch, instance, schema, where) if branch else [_combined(refusal, instance, where)]
    if _names_unknown(refusal):
        unknown = _unknown(refusal, instance, schema, where)
        return unknown if _is_echo(refusal, reasons) else unknown + _misplaced(refusal, instance, schema, where)
    place, value = located(where, instance, refusal.instance_path)
    if refusal.kind.name == "required":
        return [Fault(spot(place, refusal.kind.property), "missing", "this field is required")]
    return [Fault(place, *reason(refusal, value, place))]


def _names_unknown(refusal: Refusal) -> bool:
    # An object that declares no fields at all is closed by the schema `false`.
    name = refusal.kind.name
    return name in UNKNOWN or (name == "falseSchema" and refusal.schema_path[-1:] == ["additionalProperties"])


def _is_echo(refusal: Refusal, reasons: list[list[str | int]]) -> bool:
    """Whether fields may be left over only because a composition in their place is refused for another reason."""
    base = refusal.instance_path
    return bool(refusal.kind.name == UNEVALUATED and any(path[: len(base)] == base for path in reasons))


def _branch(refusal: Refusal, instance: JSON) -> list[Refusal]:
    return meant(refusal, located("", instance, refusal.instance_path)[1])


def _combined(refusal: Refusal, instance: JSON, where: str) -> Fault:
    """One fault for a union none of whose branches was nearly met: everything that it allows."""
    place, value = located(where, instance, refusal.instance_path)
    types: dict[str, None] = {}
    options: list[JSON] = []
    for inner in _leaves(refusal):
        if inner.kind.name == "type":
            types |= dict.fromkeys(inner.kind.types)
        elif inner.kind.name == "enum":
            options += inner.kind.options
        elif inner.kind.name == "const":
            options.append(inner.kind.expected_value)
    if options and (isinstance(value, str) or not types):
        return Fault(place, f"found {shown(value, place)}", *one_of(value, options))
    if types:
        return Fault(place, f"found {kind(value, place)}", allowed_types(types))
    return Fault(place, f"found {kind(value, place)}", f"none of {len(refusal.kind.context)} alternatives is met")


def _leaves(refusal: Refusal) -> Iterable[Refusal]:
    for branch in refusal.kind.context:
        for inner in branch:
            if inner.instance_path != refusal.instance_path:
                continue
            if is_unmet(inner):
                yield from _leaves(inner)
            else:
                yield inner


def _unknown(refusal: Refusal, instance: JSON, schema: JSON, where: str) -> list[Fault]:
    place, value = located(where, instance, refusal.instance_path)
    known = fields_at(schema, refusal.schema_path)
    allowed = f"known here: {listed(known)}" if known else "no field of that name is known here"
    return [
        Fault(spot(place, name), "unknown field", allowed, did_you_mean(closest(name, known)))
        for name in _unexpected(refusal, value)
        if name not in known
    ]


def _misplaced(refusal: Refusal, instance: JSON, schema: JSON, where: str) -> list[Fault]:
    """Faults for the fields that the schema knows by name, though not where they stand."""
    place, value = located(where, instance, refusal.instance_path)
    known = fields_at(schema, refusal.schema_path)
    allowed = ELSEWHERE[refusal.schema_path[-1]]
    names = [name for name in _unexpected(refusal, value) if name in known]
    return [Fault(spot(place, name), "not allowed here", allowed) for name in names]


def _unexpected(refusal: Refusal, value: JSON) -> Iterable[str]:
    return cast("Iterable[str]", getattr(refusal.kind, "unexpected", members(value)))


def _unexplained(refusal: Refusal, instance: JSON, where: str) -> Fault:
    place, value = located(where, instance, refusal.instance_path)
    keyword = "/".join(str(step) for step in refusal.schema_path)
    return Fault(place, f"found {kind(value, place)}", f"refused by the schema at /{keyword}")


def located(where: str, instance: JSON, path: Iterable[str | int]) -> tuple[str, JSON]:
    """The place in words, `payload.messages[0].content`, and what stands there."""
    for step in path:
        # A validator's path says 1 for the item 1 and for the member "1" alike.
        key = str(step) if isinstance(instance, dict) else step
        where, instance = spot(where, key), cast("Mapping[str | int, JSON]", instance)[key]
    return where, instance
