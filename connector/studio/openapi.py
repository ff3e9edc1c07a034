"""The OpenAPI document in version 3.0, for tools that do not know 3.1."""

from __future__ import annotations

from connector.model import JSON, is_document, is_list

__all__ = ["downgrade"]

NULL = {"type": "null"}
BOUNDS = {"exclusiveMinimum": "minimum", "exclusiveMaximum": "maximum"}
DROPPED = ("contentMediaType", "contentEncoding", "$schema", "patternProperties", "propertyNames")
"""What 3.0 has no word for; without it more is allowed, never less."""


def downgrade(document: dict[str, JSON]) -> dict[str, JSON]:
    """Return an OpenAPI 3.1 document in the words of 3.0.3."""
    found = _convert(document)
    assert is_document(found)  # noqa: S101  a document stays one
    return {**found, "openapi": "3.0.3"}


def _convert(value: JSON) -> JSON:
    if is_list(value):
        return [_convert(item) for item in value]
    if not is_document(value):
        return value
    named = _name_null({key: item for key, item in value.items() if key not in DROPPED})
    return _convert_schema({key: _convert(item) for key, item in named.items()})


def _convert_schema(found: dict[str, JSON]) -> dict[str, JSON]:
    """Return an object with the members that the versions write in different ways, wherever they are keywords."""
    if "const" in found and not is_document(found["const"]):
        found["enum"] = [found.pop("const")]
    if is_list(found.get("examples")) and found["examples"]:
        found["example"] = found.pop("examples")[0]
    for exclusive, bound in BOUNDS.items():
        if isinstance(found.get(exclusive), int | float) and not isinstance(found.get(exclusive), bool):
            found[bound], found[exclusive] = found[exclusive], True
    if "$ref" in found and isinstance(found["$ref"], str) and len(found) > 1:
        found["allOf"] = [{"$ref": found.pop("$ref")}]
    return found


def _name_null(found: dict[str, JSON]) -> dict[str, JSON]:
    """Return a schema in which a null among the types is written as `nullable`."""
    types = found.get("type")
    if is_list(types):
        others = [one for one in types if one != "null"]
        found["nullable"] = "null" in types
        if len(others) == 1:
            found["type"] = others[0]
        else:
            del found["type"]
            found["anyOf"] = [{"type": one} for one in others]
    branches = found.get("anyOf")
    if is_list(branches) and NULL in branches:
        rest = [one for one in branches if one != NULL]
        del found["anyOf"]
        found["nullable"] = True
        if len(rest) == 1 and is_document(rest[0]) and "$ref" not in rest[0]:
            found.update({key: item for key, item in rest[0].items() if key not in found})
        elif len(rest) == 1:
            found["allOf"] = rest
        elif rest:
            found["anyOf"] = rest
    elif found.get("type") == "null":
        del found["type"]
        found["nullable"] = True
    return found
