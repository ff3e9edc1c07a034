"""A schema flattened to one way of meeting it: parts of allOf joined, one branch of each union taken."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from connector.catalogue.schemas import FILLED
from connector.model import JSON, is_document

__all__ = ["Shape", "shape_of"]

Schema = Mapping[str, Any]
RANK = ("string", "object", "integer", "number", "boolean", "array", "null")
"""The order in which branches of a union are liked: what is shortest to write first, null last."""

COMMON = frozenset({"user", "message", "input_text", "realtime"})
"""Roles and types by which a branch is known as the one most people mean."""


@dataclass(frozen=True, slots=True)
class Shape:
    """One flat way of meeting a schema."""

    facts: Mapping[str, Any]
    root: Schema

    @property
    def types(self) -> Sequence[str]:
        """The types a value may have, null last."""
        declared = self.facts.get("type")
        if declared is None:
            declared = "object" if "properties" in self.facts else "array" if "items" in self.facts else "string"
        types = [declared] if isinstance(declared, str) else list(declared)
        return sorted(types, key=lambda name: name == "null")

    @property
    def choices(self) -> Sequence[JSON]:
        """The values that a const or an enum allows; none when it is open."""
        return [self.facts["const"]] if "const" in self.facts else self.facts.get("enum", [])

    @property
    def properties(self) -> Mapping[str, Schema]:
        properties: Mapping[str, Schema] = self.facts.get("properties", {})
        return properties

    @property
    def required(self) -> Sequence[str]:
        return list(dict.fromkeys(self.facts.get("required", [])))

    @property
    def filled(self) -> Sequence[str]:
        """The properties that are not required, since the API fills them in."""
        return list(self.facts.get(FILLED, []))

    @property
    def is_file(self) -> bool:
        return self.facts.get("format") == "binary"

    @property
    def is_map(self) -> bool:
        """Whether it is an object whose keys are the caller's own, with text for values."""
        values = self.facts.get("additionalProperties")
        return "properties" not in self.facts and is_document(values) and self._takes_text(values)

    def _takes_text(self, schema: Schema) -> bool:
        flat = _flat(schema, self.root, ())
        return "string" in Shape(flat, self.root).types and "enum" not in flat

    def limit(self, keyword: str, default: int) -> int:
        """A bound of the shape, or the default where it has none."""
        return int(self.facts.get(keyword, default))

    def property(self, name: str) -> Shape:
        """The shape of one property."""
        return Shape(_flat(self.properties.get(name, {}), self.root, ()), self.root)

    def items(self) -> Shape:
        """The shape of an array's items."""
        return Shape(_flat(self.facts.get("items", {}), self.root, ()), self.root)


def shape_of(schema: Schema) -> Shape:
    """The shape of a self-contained schema."""
    return Shape(_flat(schema, schema, ()), schema)


def _flat(schema: Any, root: Schema, within: tuple[str, ...]) -> dict[str, Any]:
    """The schema's facts with references followed; a definition inside itself counts as anything."""
    if not is_document(schema):
        return {}
    flat: dict[str, Any] = {}
    reference = schema.get("$ref")
    if isinstance(reference, str) and reference not in within:
        within = (*within, reference)
        flat = _flat(root.get("$defs", {}).get(reference.removeprefix("#/$defs/")), root, within)
    own = {key: value for key, value in schema.items() if key not in ("$ref", "allOf", "anyOf", "$defs")}
    flat = _joined(flat, own)
    for part in schema.get("allOf", ()):
        flat = _joined(flat, _flat(part, root, within))
    branches = [_flat(branch, root, within) for branch in schema.get("anyOf", ())]
    return _joined(flat, min(branches, key=_liking)) if branches else flat


def _liking(branch: Mapping[str, Any]) -> tuple[int, bool, bool, int]:
    """How soon a branch is taken: known values before open ones, what is common before what is small."""
    kind = Shape(branch, {}).types[0]
    known = "enum" in branch or "const" in branch
    said = {value for part in branch.get("properties", {}).values() for value in part.get("enum", [part.get("const")])}
    return (RANK.index(kind), not known, not COMMON & said, len(branch.get("required", ())))


def _joined(one: Mapping[str, Any], other: Mapping[str, Any]) -> dict[str, Any]:
    joined = {**one, **other}
    if "properties" in one and "properties" in other:
        joined["properties"] = {**one["properties"], **other["properties"]}
    if "required" in one and "required" in other:
        joined["required"] = [*one["required"], *other["required"]]
    if "enum" in one and "enum" in other:
        joined["enum"] = [value for value in one["enum"] if value in other["enum"]]
    return joined
