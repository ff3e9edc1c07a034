"""A schema's strict twin, which also refuses the fields that no declaration knows.

What the twin accepts is valid and holds nothing unknown, so that one fast verdict settles the usual request. Only what
it refuses is looked at again.
"""

from __future__ import annotations

from typing import cast

from connector.model import JSON

__all__ = ["close_schema"]

IN_PLACE = ("allOf", "anyOf", "oneOf")
OPENERS = ("additionalProperties", "unevaluatedProperties")
MEMBERS = ("properties", "patternProperties")
BELOW = ("items", "additionalProperties", "contains")
STRUCTURE = frozenset((*IN_PLACE, *MEMBERS, *BELOW, "$ref"))
LOOSE = "~loose"
"""Marks the variant of a definition that is part of a composition: closed below, left open itself."""

Schema = dict[str, JSON]


def close_schema(schema: Schema) -> Schema:
    """Return the strict twin of a self-contained schema."""
    return _Twin(cast("dict[str, Schema]", schema.get("$defs", {}))).of(schema)


class _Twin:
    def __init__(self, definitions: dict[str, Schema]) -> None:
        self.definitions = definitions
        self.made: dict[str, JSON] = {}
        self.free: dict[str, tuple[bool, bool]] = {}

    def of(self, schema: Schema) -> Schema:
        root = {name: value for name, value in schema.items() if name != "$defs"}
        twin = self.close(root)
        return {**twin, "$defs": self.made}

    def close(self, schema: JSON, *, loose: bool = False) -> JSON:
        if not isinstance(schema, dict):
            return schema
        schema = cast("Schema", schema)
        if STRUCTURE.isdisjoint(schema):
            return schema
        if "$ref" in schema and len(schema) == 1:
            return self._reference(schema["$ref"], loose=loose)
        twin = self._close_below(schema)
        composed = "$ref" in schema or "allOf" in schema or ("properties" in schema and self._has_alternatives(schema))
        for keyword in IN_PLACE:
            if keyword in schema:
                twin[keyword] = [self.close(branch, loose=loose or composed) for branch in schema[keyword]]
        if "$ref" in schema:
            twin |= self._reference(schema["$ref"], loose=True)
        if not loose and not any(opener in schema for opener in OPENERS):
            self._forbid_others(twin, schema, composed=composed)
        return twin

    def _close_below(self, schema: Schema) -> Schema:
        twin = dict(schema)
        for keyword in MEMBERS:
            if keyword in schema:
                twin[keyword] = {name: self.close(part) for name, part in schema[keyword].items()}
        for keyword in BELOW:
            if isinstance(schema.get(keyword), dict):
                twin[keyword] = self.close(schema[keyword])
        return twin

    def _forbid_others(self, twin: Schema, schema: Schema, *, composed: bool) -> None:
        if not composed:
            # An object of which no field is declared is the caller's own.
            if schema.get("properties"):
                twin["additionalProperties"] = False
            return
        declares, anything = self._find_openness(schema)
        if declares and not anything:
            twin["unevaluatedProperties"] = False

    def _has_alternatives(self, schema: Schema) -> bool:
        return "anyOf" in schema or "oneOf" in schema

    def _reference(self, reference: str, *, loose: bool) -> Schema:
        name = reference.removeprefix("#/$defs/")
        made = name + LOOSE if loose else name
        if made not in self.made and name in self.definitions:
            self.made[made] = {}  # a definition may name itself
            self.made[made] = self.close(self.definitions[name], loose=loose)
        return {"$ref": f"#/$defs/{made}"}

    def _find_openness(self, schema: JSON) -> tuple[bool, bool]:
        """Return whether the schema declares properties in its place, and whether a part of it takes any object."""
        if not isinstance(schema, dict):
            return False, bool(schema)
        schema = cast("Schema", schema)
        parts = [branch for keyword in IN_PLACE for branch in schema.get(keyword, ())]
        found = [self._find_openness(part) for part in parts]
        if "$ref" in schema:
            found.append(self._find_named(schema["$ref"]))
        if schema.get("properties"):
            found.append((True, any(opener in schema for opener in OPENERS)))
        elif not found:
            found.append((False, self._is_free(schema)))
        return any(declares for declares, _ in found), any(anything for _, anything in found)

    def _find_named(self, reference: str) -> tuple[bool, bool]:
        name = reference.removeprefix("#/$defs/")
        if name not in self.free:
            self.free[name] = (False, False)  # a definition may name itself
            self.free[name] = self._find_openness(self.definitions.get(name, {}))
        return self.free[name]

    def _is_free(self, schema: Schema) -> bool:
        kind = schema.get("type")
        if kind is None:
            return not ({"enum", "const", "required", "not"} & schema.keys())
        return kind == "object" or (isinstance(kind, list) and "object" in kind)
