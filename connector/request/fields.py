"""Which fields a declaration knows at a place: the names behind references, unions and compositions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from connector.shapes import items, members

if TYPE_CHECKING:
    from collections.abc import Sequence

    from connector.model import JSON

__all__ = ["fields_at", "fields_of", "resolve"]

IN_PLACE = ("allOf", "anyOf", "oneOf")
MOST_DEEP = 12


def resolve(schema: JSON, root: JSON) -> JSON:
    """The schema that a reference names, or the schema itself."""
    seen: set[str] = set()
    while (reference := members(schema).get("$ref")) and reference not in seen:
        seen.add(reference)
        schema = root
        for step in reference.removeprefix("#").strip("/").split("/") if reference != "#" else ():
            schema = schema[step.replace("~1", "/").replace("~0", "~")]
    return schema


def fields_at(root: JSON, keyword_path: Sequence[str | int]) -> dict[str, JSON]:
    """The fields known where a keyword stands that closes an object."""
    schema = root
    for step in keyword_path[:-1]:
        schema = schema[str(step) if isinstance(schema, dict) else step]
    return fields_of(schema, root)


def fields_of(schema: JSON, root: JSON, depth: int = 0) -> dict[str, JSON]:
    """Every property that the schema declares for an object in its place, whichever branch declares it."""
    declared = members(schema)
    found: dict[str, JSON] = {}
    if depth > MOST_DEEP:
        return found
    if "$ref" in declared:
        found |= fields_of(resolve(declared, root), root, depth + 1)
    for keyword in IN_PLACE:
        for branch in items(declared.get(keyword)):
            found |= fields_of(branch, root, depth + 1)
    return found | members(declared.get("properties"))
