"""Unions of a schema: which branch of a refused one was meant, and how many branches an explanation looks at.

A union is narrowed first by JSON type; then by the properties that tell branches apart (`type`, `role`, any constant or
choice); then by what was nearly met.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from typing import Any, cast

from connector.model import JSON, is_document, items, members

__all__ = [
    "MOST_EXPLAINED",
    "UNEVALUATED",
    "UNKNOWN",
    "Refusal",
    "UnionBreadth",
    "find_alternatives",
    "find_meant",
    "is_unmet",
]

Refusal = Any
"""A jsonschema_rs.ValidationError; its kinds are not typed."""
Refusals = list[Refusal]

UNIONS = ("anyOf", "oneOf")
CHOICES = ("const", "enum")
UNEVALUATED = "unevaluatedProperties"
UNKNOWN = ("additionalProperties", UNEVALUATED)
TAGS = ("type", "role")
TAG_PATHS = [[tag] for tag in TAGS]
TELLING = (*TAGS, "object", "kind", "mode")
MOST_EXPLAINED = 100
"""Refusals of one value that are put into words."""
MOST_WAYS = 5_000
"""Steps within one union of one value; a refusal has a reason for most of them."""
MOST_REASONS = 20_000
MOST_STEPS = 50_000
"""Steps within all unions of one value."""
SAME = ("not", "if", "then", "else")
REFERENCES = ("$ref", "$dynamicRef", "$recursiveRef")
OF_ITEMS = ("items", "additionalItems", "contains", "unevaluatedItems")
OF_MEMBERS = ("additionalProperties", "unevaluatedProperties")


def is_unmet(refusal: Refusal) -> bool:
    """Return whether no branch of a union is met; a `oneOf` that meets too many has no reasons to look at."""
    context = refusal.kind.context if refusal.kind.name in UNIONS else ()
    return bool(context) and all(context)


def find_meant(union: Refusal, value: JSON) -> Refusals:
    """Return the refusals of the branch that was meant; none when no branch is nearer than the others."""
    branches = find_alternatives(union, value)
    if not branches or (len(branches) > 1 and not isinstance(value, dict | list)):
        return [] if _has_only_choices(branches, union.instance_path) else min(branches, key=_measure_distance)
    return min(branches, key=_measure_distance)


def find_alternatives(union: Refusal, value: JSON) -> list[Refusals]:
    """Return the refusals of every branch that may have been meant: of the value's type, and with its tags."""
    base: list[str | int] = union.instance_path
    branches = [branch for branch in _list_branches(union) if not _is_mistyped(branch, base, value)]
    return _narrow_by_tags(branches, base, cast("dict[str, JSON]", value)) if isinstance(value, dict) else branches


def _list_branches(union: Refusal) -> list[Refusals]:
    """Return the reasons of each branch; a branch that is only a union is replaced by its own branches."""
    found: list[Refusals] = []
    for branch in union.kind.context:
        inner = branch[0] if len(branch) == 1 else None
        if inner is not None and is_unmet(inner) and inner.instance_path == union.instance_path:
            found += _list_branches(inner)
        else:
            found.append(branch)
    return found


def _is_mistyped(branch: Refusals, base: list[str | int], value: JSON) -> bool:
    wrong = ("type", *CHOICES) if isinstance(value, dict | list) else ("type",)
    return any(refusal.kind.name in wrong and refusal.instance_path == base for refusal in branch)


def _has_only_choices(branches: list[Refusals], base: list[str | int]) -> bool:
    """Return whether every branch that is left refuses the value itself for not being one of its choices."""
    return all(branch[0].kind.name in CHOICES and branch[0].instance_path == base for branch in branches)


def _narrow_by_tags(branches: list[Refusals], base: list[str | int], value: dict[str, JSON]) -> list[Refusals]:
    """Return the branches whose telling properties agree with the value, as far as any do."""
    wrong = {id(branch): _find_wrong_choices(branch, base, value) for branch in branches}
    names = dict.fromkeys(name for found in wrong.values() for name in found)
    for name in sorted(names, key=lambda name: TELLING.index(name) if name in TELLING else len(TELLING)):
        agreeing = [branch for branch in branches if name not in wrong[id(branch)]]
        if not agreeing:
            return [_join_choices(branches, base, name)]
        branches = agreeing
    return branches


def _find_wrong_choices(branch: Refusals, base: list[str | int], value: dict[str, JSON]) -> set[str]:
    """Return the properties of the value that this branch refuses for not being one of its choices."""
    found: set[str] = set()
    for refusal in branch:
        path = refusal.instance_path
        if len(path) == len(base) + 1 and _is_choice(refusal) and isinstance(value.get(str(path[-1])), str):
            found.add(str(path[-1]))
    return found


def _is_choice(refusal: Refusal) -> bool:
    if not is_unmet(refusal):
        return refusal.kind.name in CHOICES
    return any(_is_choice(inner) for branch in refusal.kind.context for inner in branch)


def _join_choices(branches: list[Refusals], base: list[str | int], name: str) -> Refusals:
    """Return what every branch has against one property, as a single refusal that holds all their choices."""
    path = [*base, name]
    return [
        _JoinedUnion([[refusal] for branch in branches for refusal in branch if refusal.instance_path == path], path)
    ]


class _JoinedUnion:
    """Choices of several branches, in the shape of a refused union."""

    name = "anyOf"

    def __init__(self, context: list[Refusals], path: list[str | int]) -> None:
        self.context = context
        self.instance_path = path
        self.kind = self


def _measure_distance(branch: Refusals) -> tuple[int, int, int, int]:
    """Return how far a branch is from being met: by what is wrong, all its reasons, their depth, and unknown tags."""
    depth = max(_find_depth(refusal) for refusal in branch)
    return sum(map(_is_wrong, branch)), len(branch), -depth, sum(map(_has_unknown_tag, branch))


def _has_unknown_tag(refusal: Refusal) -> bool:
    """Return whether a part has a tag that no branch for it knows."""
    if not is_unmet(refusal):
        return refusal.kind.name in CHOICES and refusal.instance_path[-1:] in TAG_PATHS
    base = refusal.instance_path
    typed = [branch for branch in refusal.kind.context if not _is_mistyped(branch, base, None)]
    return bool(typed) and all(any(map(_has_unknown_tag, branch)) for branch in typed)


def _is_wrong(refusal: Refusal) -> bool:
    """Return whether a reason is more than a name that is not known."""
    if is_unmet(refusal):
        return all(any(map(_is_wrong, branch)) for branch in refusal.kind.context)
    return refusal.kind.name not in UNKNOWN


def _find_depth(refusal: Refusal) -> int:
    """Return the depth of a reason: of a missing field that of its place, of a union that of its deepest reason."""
    inner = refusal.kind.context if is_unmet(refusal) else ()
    own = len(refusal.instance_path) + int(refusal.kind.name == "required")
    return max([own, *(_find_depth(reason) for branch in inner for reason in branch)])


class UnionBreadth:
    """Counts the steps of a schema's unions.

    Args:
        schema: the whole schema, in which references lead.
    """

    def __init__(self, schema: JSON) -> None:
        self._schema = schema
        self._steps = self._begun = self._widest = 0
        self._open: set[tuple[int, int]] = set()

    def refusals(self, value: JSON) -> int:
        """Return how many refusals of a value can be explained in reasonable time: none where its unions explode."""
        self._steps, self._begun, self._widest = 0, 0, 1
        self._open.clear()
        try:
            self._walk(self._schema, value, within=False)
        except (_Exploded, RecursionError):
            return 0
        return min(MOST_EXPLAINED, MOST_REASONS // self._widest)

    def _walk(self, schema: JSON, value: JSON, *, within: bool) -> None:
        here = (id(schema), id(value))
        if not isinstance(schema, dict) or here in self._open:
            return  # a schema that applies itself to the same value says nothing new
        if within:
            self._count_step()
        self._open.add(here)
        given = members(schema)
        for part in self._iter_same_place(given):
            self._walk(part, value, within=within)
        for name in UNIONS:
            self._begun = self._begun if within else self._steps
            for part in items(given.get(name)):
                self._walk(part, value, within=True)
        for part, child in _iter_below(given, value):
            self._walk(part, child, within=within)
        self._open.discard(here)

    def _count_step(self) -> None:
        self._steps += 1
        self._widest = max(self._widest, self._steps - self._begun)
        if self._widest > MOST_WAYS or self._steps > MOST_STEPS:
            raise _Exploded

    def _iter_same_place(self, schema: dict[str, JSON]) -> Iterator[JSON]:
        yield from items(schema.get("allOf"))
        yield from members(schema.get("dependentSchemas")).values()
        yield from (schema[name] for name in SAME if name in schema)
        for name in REFERENCES:
            if isinstance(reference := schema.get(name), str):
                yield self._find_target(reference)

    def _find_target(self, reference: str) -> JSON:
        resource, _, place = reference.partition("#")
        if not place.startswith("/"):
            return self._named.get(place or resource, self._schema)
        found = self._named.get(resource, self._schema) if resource else self._schema
        for step in place[1:].split("/"):
            name = step.replace("~1", "/").replace("~0", "~")
            listed = items(found)
            found = listed[int(name)] if name.isdecimal() and int(name) < len(listed) else members(found).get(name)
        return found

    @cached_property
    def _named(self) -> dict[str, JSON]:
        """The parts of the schema that have a name of their own."""
        found: dict[str, JSON] = {}
        waiting = [self._schema]
        while waiting:
            part = waiting.pop()
            for key in ("$id", "$anchor", "$dynamicAnchor"):
                if isinstance(name := members(part).get(key), str):
                    found[name] = part
            waiting += [*members(part).values(), *items(part)]
        return found


class _Exploded(Exception):
    """There are too many branches to explain."""


def _iter_below(schema: dict[str, JSON], value: JSON) -> Iterator[tuple[JSON, JSON]]:
    """Yield what the schema says of the members and items of a value, more of it rather than less."""
    if isinstance(value, dict):
        declared = members(schema.get("properties"))
        others = [*members(schema.get("patternProperties")).values(), *(schema.get(name) for name in OF_MEMBERS)]
        for name, child in members(value).items():
            yield from ((part, child) for part in [declared.get(name), *others] if isinstance(part, dict))
    elif isinstance(value, list):
        first = [*items(schema.get("prefixItems")), *items(schema.get("items"))]
        yield from zip(first, items(value), strict=False)
        of_items: list[JSON] = [part for name in OF_ITEMS if is_document(part := schema.get(name))]
        for child in items(value):
            yield from ((part, child) for part in of_items)
