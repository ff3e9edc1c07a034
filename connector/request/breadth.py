"""How many ways lead through the unions of a schema for one value: each doubles what an explanation has to look at."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from typing import TYPE_CHECKING

from connector.model import is_document, items, members

if TYPE_CHECKING:
    from connector.model import JSON

__all__ = ["MOST_EXPLAINED", "Breadth"]

MOST_EXPLAINED = 100
"""Refusals of one value that are put into words."""
MOST_WAYS = 5_000
"""Steps within one union of one value; a refusal has a reason for most of them."""
MOST_REASONS = 20_000
MOST_STEPS = 50_000
"""Steps within all unions of one value."""
UNIONS = ("anyOf", "oneOf")
SAME = ("not", "if", "then", "else")
REFERENCES = ("$ref", "$dynamicRef", "$recursiveRef")
OF_ITEMS = ("items", "additionalItems", "contains", "unevaluatedItems")
OF_MEMBERS = ("additionalProperties", "unevaluatedProperties")


class Breadth:
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
            self._step()
        self._open.add(here)
        given = members(schema)
        for part in self._at_same_place(given):
            self._walk(part, value, within=within)
        for name in UNIONS:
            self._begun = self._begun if within else self._steps
            for part in items(given.get(name)):
                self._walk(part, value, within=True)
        for part, child in _below(given, value):
            self._walk(part, child, within=within)
        self._open.discard(here)

    def _step(self) -> None:
        self._steps += 1
        self._widest = max(self._widest, self._steps - self._begun)
        if self._widest > MOST_WAYS or self._steps > MOST_STEPS:
            raise _Exploded

    def _at_same_place(self, schema: dict[str, JSON]) -> Iterator[JSON]:
        yield from items(schema.get("allOf"))
        yield from members(schema.get("dependentSchemas")).values()
        yield from (schema[name] for name in SAME if name in schema)
        for name in REFERENCES:
            if isinstance(reference := schema.get(name), str):
                yield self._target(reference)

    def _target(self, reference: str) -> JSON:
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
    """There are more ways than anybody would read."""


def _below(schema: dict[str, JSON], value: JSON) -> Iterator[tuple[JSON, JSON]]:
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
