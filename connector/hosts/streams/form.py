"""The schema of a host's configuration, as its forms show it."""

from __future__ import annotations

from connector.hosts.streams.settings import Settings
from connector.model import JSON, is_document, items, members

__all__ = ["make_form"]


def make_form(model: type[Settings], title: str) -> dict[str, JSON]:
    """Return the JSON Schema of settings: flat, in the order of their fields, without null."""
    schema: dict[str, JSON] = model.model_json_schema()
    fields = members(schema.get("properties"))
    properties: dict[str, JSON] = {
        name: {**_without_null(members(field)), "order": place} for place, (name, field) in enumerate(fields.items())
    }
    return {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "title": title,
        "type": "object",
        "required": schema.get("required", []),
        "properties": properties,
        "additionalProperties": True,
    }


def _without_null(field: dict[str, JSON]) -> dict[str, JSON]:
    """Return a field's schema as that of what it holds; left out means null."""
    kinds = [members(one) for one in items(field.get("anyOf")) if members(one).get("type") != "null"]
    joined = {**(kinds[0] if kinds else {}), **field}
    dropped = ("anyOf", "writeOnly") if joined.get("default", 0) is not None else ("anyOf", "writeOnly", "default")
    shown: dict[str, JSON] = {key: value for key, value in joined.items() if key not in dropped}
    if shown.get("format") == "password":
        del shown["format"]
    return shown if is_document(shown) else {}
