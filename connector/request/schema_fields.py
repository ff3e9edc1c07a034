"""Which fields a declaration knows at a place: the names behind references, unions and compositions."""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import unquote

from connector.model import JSON, items, members

__all__ = ["find_fields", "find_fields_at", "find_file_fields", "resolve_reference"]

IN_PLACE = ("allOf", "anyOf", "oneOf")
MOST_DEEP = 12


def resolve_reference(schema: JSON, root: JSON) -> JSON:
    """Return the schema that a reference names, or the schema itself where the reference is no path within the root."""
    seen: set[str] = set()
    while (reference := members(schema).get("$ref")) and reference not in seen:
        seen.add(reference)
        target = _find_below(root, _split_pointer(reference)) if _is_pointer(reference) else None
        if target is None:
            return schema
        schema = target
    return schema


def find_fields_at(root: JSON, keyword_path: Sequence[str | int]) -> dict[str, JSON]:
    """Return the fields that are known at a keyword that closes an object; none where the path leaves the root."""
    return find_fields(_find_below(root, keyword_path[:-1]), root)


def _is_pointer(reference: JSON) -> bool:
    return isinstance(reference, str) and (reference == "#" or reference.startswith("#/"))


def _split_pointer(reference: str) -> list[str]:
    return [unquote(step).replace("~1", "/").replace("~0", "~") for step in reference.split("/")[1:]]


def _find_below(schema: JSON, path: Sequence[str | int]) -> JSON:
    """Return the value at a path, or None."""
    for step in path:
        if isinstance(schema, list) and str(step).isdecimal():
            found = items(schema)
            schema = found[int(step)] if int(step) < len(found) else None
        else:
            schema = members(schema).get(str(step))
    return schema


def find_fields(schema: JSON, root: JSON, depth: int = 0) -> dict[str, JSON]:
    """Return every property that the schema declares for an object in its place, whichever branch declares it."""
    declared = members(schema)
    found: dict[str, JSON] = {}
    if depth > MOST_DEEP:
        return found
    if "$ref" in declared:
        found |= find_fields(resolve_reference(declared, root), root, depth + 1)
    for keyword in IN_PLACE:
        for branch in items(declared.get(keyword)):
            found |= find_fields(branch, root, depth + 1)
    return found | members(declared.get("properties"))


def find_file_fields(schema: dict[str, JSON]) -> frozenset[str]:
    """Return the top-level fields that a schema declares as binary, alone or in a list."""
    return frozenset(name for name, part in find_fields(schema, schema).items() if _is_binary(part, schema, 0))


def _is_binary(part: JSON, root: JSON, depth: int) -> bool:
    declared = members(resolve_reference(part, root))
    if declared.get("format") == "binary":
        return True
    inner = [*items(declared.get("anyOf")), *items(declared.get("oneOf")), declared.get("items")]
    return depth < 4 and any(_is_binary(branch, root, depth + 1) for branch in inner)
