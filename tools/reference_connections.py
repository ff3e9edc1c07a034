"""The reference page of connections: the kinds of subscriber and publisher."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from pydantic import BaseModel

from connector import publishers, subscribers
from connector.catalogue.phrases import phrase
from tools.markdown import table

DEEPEST = 1
"""Levels of fields below the first: what is nested deeper is a schema that names itself."""


def connections() -> str:
    parts = ["# Connections", "See [the guide](../guides/configuration.md). A field marked `*` must be given."]
    for title, kinds in (("Subscribers", subscribers.prototypes()), ("Publishers", publishers.prototypes())):
        parts.append(f"## {title}")
        for kind in kinds:
            parts += [f"### `{kind.name}`", kind.summary, fields(kind.parameters)]
    return "\n\n".join(part for part in parts if part)


def fields(model: type[BaseModel]) -> str:
    schema = model.model_json_schema(by_alias=False)
    rows = list(of(schema, schema, ""))
    return table(("field", "value", "what it is"), rows) if rows else ""


def of(schema: dict[str, Any], root: dict[str, Any], before: str) -> Iterable[tuple[str, str, str]]:
    """The fields of an object, those of the objects in it below them."""
    required = schema.get("required", ())
    for name, field in schema.get("properties", {}).items():
        mark = "\\*" if name in required else ""
        said = phrase({key: value for key, value in field.items() if key != "default"}, root)
        yield f"`{before}{name}`{mark}", said, field.get("description", "")
        if before.count(".") < DEEPEST:
            for inner in inside(field, root):
                yield from of(inner, root, f"{before}{name}.")


def inside(field: dict[str, Any], root: dict[str, Any]) -> Iterable[dict[str, Any]]:
    for branch in (field, *field.get("anyOf", ())):
        if "$ref" in branch:
            yield root["$defs"][branch["$ref"].rsplit("/", 1)[-1]]
