"""Normalization: a document's schemas become valid JSON Schema 2020-12 that holds facts only.

What OpenAPI 3.0 and careless documents write, and what it becomes:

nullable: true               null joins the type, the enum, the union, or a new union
exclusiveMinimum: true       the bound itself (and the same for the maximum)
$recursiveRef                a plain reference to the definition that contains it
oneOf                        anyOf, since documents say one where they mean any
properties, items, no type   an object, an array: without the type anything else would pass
bounds beyond 64 bits        clamped: they are float roundings of the 64-bit limits
a closed enum of `model`     an open string that still lists the names it knows
format: binary               a string or an object: in a request a file is {"$file": …} or {"$content": …}
prose and x- extensions      dropped
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, TypeGuard

from connector.model import JSON, is_document, is_list

__all__ = ["POINTER", "normalize_schema"]

POINTER = "#/components/schemas/"

ONE = frozenset({
    "items", "additionalProperties", "unevaluatedProperties", "unevaluatedItems", "not", "contains", "propertyNames",
    "if", "then", "else",
})  # fmt: skip
"""Keywords with a schema."""
MANY = frozenset({"anyOf", "allOf", "prefixItems"})
"""Keywords with a list of schemas."""
NAMED = frozenset({"properties", "patternProperties", "dependentSchemas"})
"""Keywords with schemas by name."""
FACTS = frozenset({
    "type", "enum", "const", "default", "required", "format", "deprecated", "minimum", "maximum", "exclusiveMinimum",
    "exclusiveMaximum", "multipleOf", "minLength", "maxLength", "pattern", "minItems", "maxItems", "uniqueItems",
    "minContains", "maxContains", "minProperties", "maxProperties", "dependentRequired", "readOnly", "writeOnly",
    "contentEncoding", "contentMediaType",
})  # fmt: skip
"""Keywords that are kept as they are."""
BOUNDS = ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum")
ANNOTATIONS = ("default", "deprecated", "readOnly", "writeOnly")
NULL: dict[str, JSON] = {"type": "null"}


def normalize_schema(schema: JSON, root: str, rename: Callable[[str], str]) -> JSON:
    """Normalize a schema; `root` is the definition that contains it, `rename` rewrites a `$ref`."""
    if not is_document(schema):
        return schema
    normalized: dict[str, JSON] = {}
    for key, value in schema.items():
        _normalize_keyword(normalized, key, value, root, rename)
    _add_type(normalized)
    _normalize_exclusive(normalized)
    _clamp_bounds(normalized)
    if normalized.get("format") == "binary" and normalized.get("type") == "string":
        normalized["type"] = ["string", "object"]
    _normalize_union(normalized, schema, root, rename)
    return _make_nullable(_open_models(normalized)) if _says_nullable(schema) else _open_models(normalized)


def _normalize_keyword(
    normalized: dict[str, JSON], key: str, value: Any, root: str, rename: Callable[[str], str]
) -> None:
    if key == "$ref" and isinstance(value, str):
        normalized["$ref"] = rename(value)
    elif key == "$recursiveRef":
        normalized["$ref"] = rename(POINTER + root)
    elif key in ONE and isinstance(value, (dict, bool)):
        normalized[key] = normalize_schema(value, root, rename)
    elif key in MANY and is_list(value):
        normalized[key] = [normalize_schema(item, root, rename) for item in value]
    elif key in NAMED and is_document(value):
        normalized[key] = {
            name: normalize_schema(item, root, rename) for name, item in value.items() if item is not None
        }
    elif key == "discriminator" and is_document(value) and "propertyName" in value:
        normalized[key] = {"propertyName": value["propertyName"]}
    elif key in FACTS and not _is_meaningless(key, value):
        normalized[key] = list(dict.fromkeys(value)) if key == "required" else value


def _is_meaningless(key: str, value: JSON) -> bool:
    if key == "required":
        return not is_list(value) or not value
    if key in ("deprecated", "readOnly", "writeOnly", "uniqueItems"):
        return value is not True
    return key == "pattern" and not _is_usable_pattern(value)


def _is_usable_pattern(pattern: JSON) -> bool:
    """Return whether both the validator and the explainer can read a pattern."""
    import jsonschema_rs

    try:
        re.compile(pattern)
        jsonschema_rs.validator_for({"pattern": pattern})
    except (re.error, TypeError, jsonschema_rs.ValidationError):
        return False
    return True


def _add_type(schema: dict[str, JSON]) -> None:
    if "type" not in schema and ("properties" in schema) != ("items" in schema):
        schema["type"] = "object" if "properties" in schema else "array"


def _normalize_exclusive(schema: dict[str, JSON]) -> None:
    for exclusive, bound in (("exclusiveMinimum", "minimum"), ("exclusiveMaximum", "maximum")):
        if isinstance(schema.get(exclusive), bool):
            excluded = schema.pop(exclusive)
            if excluded and bound in schema:
                schema[exclusive] = schema.pop(bound)


def _clamp_bounds(schema: dict[str, JSON]) -> None:
    whole = "integer" in _list_types(schema)
    for key in BOUNDS:
        bound = schema.get(key)
        if isinstance(bound, (int, float)) and abs(bound) >= 2**63 and (whole or isinstance(bound, int)):
            schema[key] = max(-(2**63), min(int(bound), 2**63 - 1))


def _list_types(schema: Mapping[str, JSON]) -> list[str]:
    declared = schema.get("type", [])
    return [declared] if isinstance(declared, str) else list(declared)


def _normalize_union(
    normalized: dict[str, JSON], schema: Mapping[str, JSON], root: str, rename: Callable[[str], str]
) -> None:
    if not is_list(schema.get("oneOf")):
        return
    branches = [normalize_schema(branch, root, rename) for branch in schema["oneOf"]]
    if "anyOf" in normalized:
        normalized["allOf"] = [*normalized.get("allOf", []), {"anyOf": branches}]
    else:
        normalized["anyOf"] = branches


def _says_nullable(schema: Mapping[str, JSON]) -> bool:
    return schema.get("nullable") is True or any(_is_only_nullable(part) for part in _list_parts(schema))


def _list_parts(schema: Mapping[str, JSON]) -> list[JSON]:
    parts = schema.get("allOf")
    return parts if is_list(parts) else []


def _is_only_nullable(part: JSON) -> TypeGuard[dict[str, JSON]]:
    """Return whether an allOf part says only that its neighbours may be null."""
    return is_document(part) and part.get("nullable") is True and not set(part) & {"type", "$ref", "anyOf", "oneOf"}


def _make_nullable(schema: dict[str, JSON]) -> dict[str, JSON]:
    """Return the schema with null allowed as well."""
    schema = _drop_empty_parts(schema)
    if "enum" in schema and None not in schema["enum"]:
        schema["enum"] = [*schema["enum"], None]
    if "type" in schema and not set(schema) & {"anyOf", "allOf", "$ref", "const"}:
        schema["type"] = [*_list_types(schema), *(["null"] if "null" not in _list_types(schema) else [])]
        return schema
    if not schema:
        return schema
    outside = {key: schema[key] for key in ANNOTATIONS if key in schema}
    inside = {key: value for key, value in schema.items() if key not in outside}
    if set(inside) <= {"anyOf", "discriminator"}:
        return {**inside, "anyOf": [*(b for b in inside["anyOf"] if b != NULL), dict(NULL)], **outside}
    return {"anyOf": [inside, dict(NULL)], **outside}


def _drop_empty_parts(schema: dict[str, JSON]) -> dict[str, JSON]:
    parts = [part for part in schema.get("allOf", []) if part != {}]
    if "allOf" not in schema or len(parts) == len(schema["allOf"]):
        return dict(schema)
    rest = {key: value for key, value in schema.items() if key != "allOf"}
    return {**parts[0], **rest} if len(parts) == 1 else {**rest, "allOf": parts} if parts else rest


def _open_models(schema: dict[str, JSON]) -> dict[str, JSON]:
    """Return the schema with its property `model` open to names that are newer than the document."""
    model = schema.get("properties", {}).get("model")
    if is_document(model) and _is_closed_list(model):
        opened = {"anyOf": [{"type": "string"}, {key: model[key] for key in model if key not in ANNOTATIONS}]}
        opened |= {key: model[key] for key in ANNOTATIONS if key in model}
        schema["properties"] = {**schema["properties"], "model": opened}
    return schema


def _is_closed_list(model: Mapping[str, JSON]) -> bool:
    names = model.get("enum")
    return is_list(names) and len(names) > 1 and any(isinstance(name, str) for name in names)
