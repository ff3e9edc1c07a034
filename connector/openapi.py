"""An OpenAPI document in version 3.0, for tools that do not know 3.1."""

from __future__ import annotations

from connector.model import JSON, is_document, is_list

__all__ = ["NULL", "downgrade"]

NULL: dict[str, JSON] = {"type": "string", "nullable": True, "enum": [None]}
"""The schema of null: beside a reference `nullable` means nothing."""
BOUNDS = {"exclusiveMinimum": "minimum", "exclusiveMaximum": "maximum"}
DROPPED = ("contentMediaType", "contentEncoding", "$schema", "patternProperties", "propertyNames")
"""What 3.0 has no word for; without it more is allowed, never less."""
VALUES = ("default", "enum", "example", "examples")
"""What holds values, and no schemas."""


def downgrade(document: dict[str, JSON]) -> dict[str, JSON]:
    """Return an OpenAPI 3.1 document in the words of 3.0.3."""
    return {**_convert(document), "openapi": "3.0.3"}


def _convert(value: dict[str, JSON]) -> dict[str, JSON]:
    found = {key: _convert_member(key, item) for key, item in value.items() if key not in DROPPED}
    return _convert_keywords(_name_null(found))


def _convert_member(key: str, value: JSON) -> JSON:
    if key in VALUES:
        return value
    if is_list(value):
        return [_convert(item) if is_document(item) else item for item in value]
    if not is_document(value):
        return value
    # The names in it are those of properties, whatever they mean elsewhere.
    return {name: _convert_member("", item) for name, item in value.items()} if key == "properties" else _convert(value)


def _convert_keywords(found: dict[str, JSON]) -> dict[str, JSON]:
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
    if types == "null":
        return {**found, **NULL}
    if is_list(types):
        others = [one for one in types if one != "null"]
        if len(others) == 1:
            return {**found, "type": others[0], "nullable": True}
        branches: list[JSON] = [{"type": one} for one in others]
        rest = {key: item for key, item in found.items() if key != "type"}
        return {**rest, "anyOf": [*branches, NULL] if "null" in types else branches}
    alternatives = found.get("anyOf")
    if is_list(alternatives) and NULL in alternatives:
        others = [one for one in alternatives if one != NULL]
        only = others[0] if len(others) == 1 else None
        if is_document(only) and "type" in only:
            rest = {key: item for key, item in found.items() if key != "anyOf"}
            return {**only, **rest, "nullable": True}
    return found
