"""The schemas of models: by the names people write, open for variables, one definition for each part."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from pydantic import BaseModel
from pydantic.alias_generators import to_camel

from connector.config.kinds import Kind
from connector.model import JSON, is_list, is_object, members

__all__ = ["REFERENCE", "TEMPLATE", "TEXT", "Definitions", "camel", "closed_object", "or_reference"]

REF = "#/$defs/"
DROPPED = ("title", "environment", "unless", "writeOnly")


class Definitions:
    """Definitions by name, collected from models."""

    def __init__(self, suggestions: Mapping[str, list[str]]) -> None:
        self.found: dict[str, dict[str, JSON]] = {}
        self._suggestions = suggestions

    def model(self, model: type[BaseModel]) -> dict[str, JSON]:
        """Return the schema of a model; its parts become definitions under their own names."""
        source = model.model_json_schema(by_alias=False, ref_template=f"{REF}{{model}}")
        for name, part in source.pop("$defs", {}).items():
            self.found[name] = self._object(part, REFERENCE)
        return self._object(source, REFERENCE)

    def parameters(self, kind: Kind, noun: str) -> str:
        """Define a prototype's parameters and return the name of the definition."""
        source = kind.parameters.model_json_schema(by_alias=False, ref_template=f"{REF}{{model}}")
        opening = REFERENCE if noun == "client" else TEMPLATE
        names: dict[str, str] = {}
        parts = source.pop("$defs", {})
        for name, part in parts.items():
            shared, made = f"{noun}.{name}", self._object(part, opening)
            names[name] = shared if self.found.get(shared, made) == made else f"{kind.name} {shared}"
        for name, part in parts.items():
            self.found[names[name]] = _rename_references(self._object(part, opening), names)
        whole = f"{kind.name} {noun}"
        self.found[whole] = _rename_references(self._object(source, opening), names)
        return whole

    def with_suggestions(self, name: str, schema: dict[str, JSON]) -> dict[str, JSON]:
        """Return a field's schema with proposals, if there are any."""
        return {**schema, "examples": self._suggestions[name]} if name in self._suggestions else schema

    def _object(self, schema: dict[str, JSON], opening: dict[str, JSON]) -> dict[str, JSON]:
        if "properties" not in schema:
            return self._part(schema, opening)
        fields: dict[str, Any] = schema["properties"]
        given = {name for name, field in fields.items() if field.get("environment")}
        required = [_key_of(name) for name in schema.get("required", ()) if name not in given]
        properties = {
            _key_of(name): self.with_suggestions(name, self._part(field, opening)) for name, field in fields.items()
        }
        made = closed_object(properties, required)
        return {"description": schema["description"], **made} if "description" in schema else made

    def _part(self, schema: JSON, opening: dict[str, JSON]) -> dict[str, JSON]:
        """Return a schema without pydantic's own keys, in which a variable may replace a number or choice."""
        kept = {key: value for key, value in members(schema).items() if key not in DROPPED}
        for key in ("items", "additionalProperties"):
            if is_object(kept.get(key)):
                kept[key] = self._part(kept[key], opening)
        for key in ("anyOf", "prefixItems", "allOf", "oneOf"):
            if is_list(kept.get(key)):
                kept[key] = [self._part(branch, opening) for branch in kept[key]]
        if kept.get("type") in ("integer", "number", "boolean") or "enum" in kept or "const" in kept:
            described: dict[str, JSON] = {key: kept.pop(key) for key in ("description", "default") if key in kept}
            return {**or_reference(kept, opening), **described}
        return kept


def _key_of(field: str) -> str:
    """Return a field's name as people write it."""
    return {"validation": "validate"}.get(field, field.removeprefix("raw_"))


def _rename_references(schema: JSON, names: Mapping[str, str]) -> Any:
    """Return a schema whose references have the new names."""
    if is_object(schema):
        renamed = {key: _rename_references(value, names) for key, value in schema.items()}
        if "$ref" in renamed:
            name = schema["$ref"].removeprefix(REF)
            renamed["$ref"] = REF + names.get(name, name)
        return renamed
    return [_rename_references(item, names) for item in schema] if is_list(schema) else schema


TEXT: dict[str, JSON] = {"type": "string"}
REFERENCE: dict[str, JSON] = {"type": "string", "pattern": r"\$\{"}
TEMPLATE: dict[str, JSON] = {"type": "string", "pattern": r"[$&?@]\{"}
UNSUGGESTED: dict[str, JSON] = {"doNotSuggest": True}
"""Tells editors to accept a key and not to propose it."""


def or_reference(schema: dict[str, JSON], opening: dict[str, JSON] = REFERENCE) -> dict[str, JSON]:
    """Return a schema that also takes a variable."""
    return {"anyOf": [schema, opening]}


def camel(name: str) -> str:
    """Return a name in camelCase."""
    return to_camel(name) if "_" in name else name


def closed_object(
    properties: Mapping[str, JSON], required: Iterable[str] = (), spellings: Mapping[str, Iterable[str]] | None = None
) -> dict[str, JSON]:
    """Return the schema of an object with these members only, each under any of its spellings."""
    also: dict[str, JSON] = {}
    needed: list[str] = []
    either: list[JSON] = []
    for name in properties:
        others = [one for one in (camel(name), *(spellings or {}).get(name, ())) if one not in properties]
        also |= {other: {**properties[name], **UNSUGGESTED} for other in others}
        if name in required and others:
            either.append({"anyOf": [{"required": [one]} for one in (name, *dict.fromkeys(others))]})
        elif name in required:
            needed.append(name)
    schema: dict[str, JSON] = {"type": "object", "properties": {**properties, **also}, "additionalProperties": False}
    return schema | ({"required": needed} if needed else {}) | ({"allOf": either} if either else {})
