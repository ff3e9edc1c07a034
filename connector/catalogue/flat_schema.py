"""A schema flattened to one way to satisfy it: parts of allOf joined, one branch of each union chosen."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from connector.catalogue.schemas import FILLED
from connector.model import JSON, is_document

__all__ = ["FlatSchema", "flatten"]

Schema = Mapping[str, Any]
RANK = ("string", "object", "integer", "number", "boolean", "array", "null")
"""The preference among branches of a union: what is shortest to write first, null last."""

COMMON = frozenset({"user", "message", "input_text", "realtime"})
"""Roles and types of the branch that most people mean."""


@dataclass(frozen=True, slots=True)
class FlatSchema:
    """One flat way to satisfy a schema."""

    facts: Mapping[str, Any]
    root: Schema

    @property
    def types(self) -> Sequence[str]:
        """Return the types a value may have, null last."""
        declared = self.facts.get("type")
        if declared is None:
            declared = "object" if "properties" in self.facts else "array" if "items" in self.facts else "string"
        types = [declared] if isinstance(declared, str) else list(declared)
        return sorted(types, key=lambda name: name == "null")

    @property
    def choices(self) -> Sequence[JSON]:
        """Return the values that a const or an enum allows; none when any value is."""
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
        """Return the properties that are not required, since the API fills them in."""
        return list(self.facts.get(FILLED, []))

    @property
    def is_file(self) -> bool:
        return self.facts.get("format") == "binary"

    @property
    def is_map(self) -> bool:
        """Return whether it is an object with keys of the caller's own and text as values."""
        values = self.facts.get("additionalProperties")
        return "properties" not in self.facts and is_document(values) and self._takes_text(values)

    def _takes_text(self, schema: Schema) -> bool:
        flat = _flatten(schema, self.root, ())
        return "string" in FlatSchema(flat, self.root).types and "enum" not in flat

    def limit(self, keyword: str, default: int) -> int:
        """Return a bound, or the default where there is none."""
        return int(self.facts.get(keyword, default))

    def property(self, name: str) -> FlatSchema:
        """Return the flat schema of one property."""
        return FlatSchema(_flatten(self.properties.get(name, {}), self.root, ()), self.root)

    def alternatives(self, name: str) -> list[FlatSchema]:
        """Return every way to satisfy one property, each flat; branches that only allow null are left out."""
        ways = _spread(self.properties.get(name, {}), self.root, ())
        return [FlatSchema(way, self.root) for way in ways if way.get("type") != "null"]

    def items(self) -> FlatSchema:
        """Return the flat schema of an array's items."""
        return FlatSchema(_flatten(self.facts.get("items", {}), self.root, ()), self.root)


def flatten(schema: Schema) -> FlatSchema:
    """Flatten a self-contained schema."""
    return FlatSchema(_flatten(schema, schema, ()), schema)


def _flatten(schema: Any, root: Schema, within: tuple[str, ...]) -> dict[str, Any]:
    """Return a schema's keywords with references resolved; a definition inside itself counts as anything."""
    if not is_document(schema):
        return {}
    flat: dict[str, Any] = {}
    reference = schema.get("$ref")
    if isinstance(reference, str) and reference not in within:
        within = (*within, reference)
        flat = _flatten(root.get("$defs", {}).get(reference.removeprefix("#/$defs/")), root, within)
    own = {key: value for key, value in schema.items() if key not in ("$ref", "allOf", "anyOf", "$defs")}
    flat = _join(flat, own)
    for part in schema.get("allOf", ()):
        flat = _join(flat, _flatten(part, root, within))
    branches = [_flatten(branch, root, within) for branch in schema.get("anyOf", ())]
    return _join(flat, min(branches, key=_preference)) if branches else flat


def _spread(schema: Any, root: Schema, within: tuple[str, ...]) -> list[dict[str, Any]]:
    """Return a schema's keywords for each way through its unions; a definition inside itself counts as anything."""
    if not is_document(schema):
        return [{}]
    ways: list[dict[str, Any]] = [{}]
    reference = schema.get("$ref")
    if isinstance(reference, str) and reference not in within:
        within = (*within, reference)
        ways = _spread(root.get("$defs", {}).get(reference.removeprefix("#/$defs/")), root, within)
    own = {key: value for key, value in schema.items() if key not in ("$ref", "allOf", "anyOf", "$defs")}
    ways = [_join(way, own) for way in ways]
    for part in schema.get("allOf", ()):
        ways = [_join(way, other) for way in ways for other in _spread(part, root, within)]
    branches = [way for branch in schema.get("anyOf", ()) for way in _spread(branch, root, within)]
    return [_join(way, branch) for way in ways for branch in branches] if branches else ways


def _preference(branch: Mapping[str, Any]) -> tuple[int, bool, bool, int]:
    """Return the sort key of a branch: known values before open ones, the common before the small."""
    kind = FlatSchema(branch, {}).types[0]
    known = "enum" in branch or "const" in branch
    said = {value for part in branch.get("properties", {}).values() for value in part.get("enum", [part.get("const")])}
    return (RANK.index(kind), not known, not COMMON & said, len(branch.get("required", ())))


def _join(one: Mapping[str, Any], other: Mapping[str, Any]) -> dict[str, Any]:
    joined = {**one, **other}
    if "properties" in one and "properties" in other:
        joined["properties"] = {**one["properties"], **other["properties"]}
    if "required" in one and "required" in other:
        joined["required"] = [*one["required"], *other["required"]]
    if "enum" in one and "enum" in other:
        joined["enum"] = [value for value in one["enum"] if value in other["enum"]]
    return joined
