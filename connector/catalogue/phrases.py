"""A JSON Schema in words: `text`, `number 0..2`, `one of asc, desc`, `list of text`."""

from __future__ import annotations

from typing import cast

from connector.model import JSON

__all__ = ["phrase"]

Schema = dict[str, JSON]

WORDS = {"string": "text", "integer": "whole number", "boolean": "true or false", "array": "list"}
BOUNDS = (
    ("minimum", "maximum", ""),
    ("minLength", "maxLength", "characters"),
    ("minItems", "maxItems", "items"),
    ("minProperties", "maxProperties", "keys"),
)
MOST = 8
"""Alternatives and values that are named before the rest is counted."""
INT64 = 2**63
DEEPEST = 6
"""References that are followed before a name is used instead."""


def phrase(schema: JSON, root: Schema, depth: int = 0) -> str:
    """Describe in a few words what a value may be."""
    if not isinstance(schema, dict) or not schema:
        return "anything"
    schema = cast("Schema", schema)
    if "$ref" in schema:
        return _phrase_reference(schema["$ref"], root, depth)
    if "const" in schema:
        return _phrase_value(schema["const"])
    if "enum" in schema:
        return f"one of {_join_some([_phrase_value(value) for value in schema['enum']], ', ')}"
    branches = schema.get("anyOf") or schema.get("oneOf")
    if branches:
        return _join_some(list(dict.fromkeys(phrase(branch, root, depth) for branch in branches)), " or ")
    if "allOf" in schema:
        return phrase(schema["allOf"][0], root, depth)
    return _phrase_type(schema, root, depth)


def _phrase_reference(reference: str, root: Schema, depth: int) -> str:
    """Describe a referenced value; a referenced object, or a choice among objects, by its name."""
    name = reference.rsplit("/", 1)[-1]
    target = root.get("$defs", {}).get(name)
    return name if depth > DEEPEST or _is_object(target, root) else phrase(target, root, depth + 1)


def _is_object(schema: JSON, root: Schema, depth: int = 0) -> bool:
    if not isinstance(schema, dict) or depth > DEEPEST:
        return False
    schema = cast("Schema", schema)
    if "$ref" in schema:
        return _is_object(root.get("$defs", {}).get(schema["$ref"].rsplit("/", 1)[-1]), root, depth + 1)
    branches = [branch for keyword in ("anyOf", "oneOf", "allOf") for branch in schema.get(keyword, ())]
    return "properties" in schema or (
        bool(branches) and all(_is_object(branch, root, depth + 1) for branch in branches)
    )


def _phrase_type(schema: Schema, root: Schema, depth: int) -> str:
    types = schema.get("type", "object" if "properties" in schema else "anything")
    names = [types] if isinstance(types, str) else list(types)
    if schema.get("format") == "binary":
        return "file"
    said = " or ".join(WORDS.get(name, name) for name in names if name != "null")
    if "array" in names and "items" in schema:
        said = said.replace("list", f"list of {phrase(schema['items'], root, depth + 1)}")
    bounded = " ".join(part for part in (said, *(_phrase_bound(schema, *bound) for bound in BOUNDS)) if part)
    return f"{bounded} or null" if bounded and "null" in names else bounded or "null"


def _phrase_bound(schema: Schema, lowest: str, highest: str, unit: str) -> str:
    low, high = schema.get(lowest), schema.get(highest)
    if low is None and "exclusiveMinimum" in schema and not unit:
        low = f">{schema['exclusiveMinimum']}"
    if (low is None and high is None) or (isinstance(high, int) and high >= INT64 - 1):
        return ""
    bounds = f"{'' if low is None else low}..{'' if high is None else high}"
    return f"({bounds} {unit})" if unit else bounds


def _phrase_value(value: JSON) -> str:
    return "null" if value is None else str(value).lower() if isinstance(value, bool) else str(value)


def _join_some(said: list[str], joint: str) -> str:
    rest = len(said) - MOST
    return joint.join(said[:MOST]) + (f"{joint}{rest} more" if rest > 0 else "")
