"""The reference page of the studio's API, from the document that the API itself gives."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from connector.studio.app import PREFIX, describe_api
from tools.markdown import table

__all__ = ["studio"]


def studio() -> str:
    document = describe_api()
    parts = [
        "# The studio's API",
        f"Everything below `{PREFIX}`. The whole document, with every schema: `/api/v1/openapi.json`, or"
        " `openai-connector openapi export`. [What it is for](../guides/studio.md).",
    ]
    for tag in document["tags"]:
        operations = list(_operations(document, tag["name"]))
        if operations:
            parts += [f"## {tag['name']}", tag["description"]]
        for name, operation in operations:
            parts += [f"### `{name}`", operation["description"], _parameters(document, operation)]
    return "\n\n".join(part for part in parts if part)


def _operations(document: Mapping[str, Any], tag: str) -> Iterator[tuple[str, Any]]:
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            if tag in operation["tags"]:
                yield f"{method.upper()} {path.removeprefix(PREFIX)}", operation


def _parameters(document: Mapping[str, Any], operation: Mapping[str, Any]) -> str:
    """A table of what an operation takes: its parameters, then the fields of its body."""
    rows = [
        (f"`{one['name']}`", one["in"], one.get("description", ""))
        for one in operation.get("parameters", ())
        if one["name"] != "Idempotency-Key"
    ]
    for media in operation.get("requestBody", {}).get("content", {}).values():
        name = media["schema"].get("$ref", "").rpartition("/")[2]
        fields = document["components"]["schemas"].get(name, {}).get("properties", {})
        rows += [(f"`{field}`", "body", described.get("description", "")) for field, described in fields.items()]
    return table(("field", "in", "what it says"), rows) if rows else ""
