"""`strict-schema`: a JSON Schema in the form that strict structured output takes."""

from __future__ import annotations

from connector.model import JSON, is_document, is_list
from connector.request.display import describe_value
from connector.transform.context import Scope
from connector.transform.declaration import Mapper
from connector.transform.errors import Unfit
from connector.transform.mappers.base import skip_null
from connector.transform.types import Map

__all__ = ["STRICTNESS"]

DEEPEST = 100
ONE = ("items", "additionalItems", "not", "if", "then", "else", "contains")
LISTS = ("anyOf", "allOf", "oneOf", "prefixItems")
NAMED = ("properties", "$defs", "definitions", "patternProperties")


def make_strict(schema: JSON, depth: int = 0) -> JSON:
    """Close every object of a schema and require every property; optional ones may be null instead."""
    if depth > DEEPEST:
        raise Unfit(f"strict-schema: the schema is nested more than {DEEPEST} levels deep")
    if not is_document(schema):
        return schema
    made = {key: _convert_member(key, value, depth + 1) for key, value in schema.items()}
    properties: JSON = made.get("properties")
    if is_document(properties) or made.get("type") == "object":
        members = properties if is_document(properties) else {}
        required: JSON = schema.get("required")
        needed = required if is_list(required) else []
        made["properties"] = {
            name: value if name in needed else make_nullable(value) for name, value in members.items()
        }
        made |= {"required": list(members), "additionalProperties": False}
    return made


def _convert_member(key: str, value: JSON, depth: int) -> JSON:
    if key in ONE:
        return make_strict(value, depth)
    if key in LISTS and is_list(value):
        return [make_strict(item, depth) for item in value]
    if key in NAMED and is_document(value):
        return {name: make_strict(item, depth) for name, item in value.items()}
    return value


def make_nullable(schema: JSON) -> JSON:
    """Return the schema that allows null as well."""
    types: JSON = schema.get("type") if is_document(schema) and schema.keys().isdisjoint(("const", "$ref")) else None
    if not is_document(schema) or not isinstance(types, str | list):
        return _allow_null(schema)
    listed: list[JSON] = types if is_list(types) else [types]
    made = {**schema, "type": listed if "null" in listed else [*listed, "null"]}
    words: JSON = schema.get("enum")
    return {**made, "enum": [*words, None]} if is_list(words) and None not in words else made


def _allow_null(schema: JSON) -> JSON:
    options: JSON = schema.get("anyOf") if is_document(schema) else None
    if not is_document(schema) or not is_list(options):
        return {"anyOf": [schema, {"type": "null"}]}
    return schema if {"type": "null"} in options else {**schema, "anyOf": [*options, {"type": "null"}]}


def _build() -> Map:
    def run(value: JSON, _: Scope) -> JSON:
        if not is_document(value):
            raise Unfit(f"strict-schema: found {describe_value(value)}, a JSON Schema is needed")
        return make_strict(value)

    return skip_null(run)


STRICTNESS = (
    Mapper(
        "strict-schema",
        "A JSON Schema for strict structured output: objects closed, all properties required, optional ones nullable.",
        {},
        _build,
    ),
)
