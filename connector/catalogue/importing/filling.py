"""What the API fills in by itself, and so never asks of a caller.

A document says of a schema that requests and answers share what an answer always holds. A request needs less of it:

readOnly             is the API's to write
default              is what the API takes when nothing is given
nullable, shared     says "none" in an answer; a caller who has none leaves it out
x-filled (overlays)  fields of the API's own records, which callers hand back with or without them

A property that tells the branches of a union apart is always asked for. What answers still always hold is kept beside
`required` as `x-filled`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from connector.catalogue.schemas import DEFS, FILLED
from connector.model import JSON, is_document, is_list
from connector.shapes import items, members

if TYPE_CHECKING:
    from connector.catalogue.importing.definitions import Definitions
    from connector.catalogue.importing.overlays import Overlays

__all__ = ["relieve"]

UNIONS = ("anyOf", "oneOf")
TAGS = frozenset({"type", "role"})


def relieve(definitions: Definitions, asked: set[str], answered: set[str], overlays: Overlays) -> list[str]:
    """Ask no request for what the API fills in; return notices of overlays that fit nothing."""
    records, notices = _records(definitions, overlays)
    for name in sorted(asked):
        shared = name in answered
        for schema, named in _objects(definitions.schemas[name], records.get(name, ())):
            _relieve(schema, named, definitions, shared=shared)
    return notices


def _records(definitions: Definitions, overlays: Overlays) -> tuple[dict[str, list[str]], list[str]]:
    """The fields that overlays name as filled in, by definition; a union stands for its branches."""
    records: dict[str, list[str]] = {}
    notices: list[str] = []
    for overlay in overlays.files:
        for entry in items(overlay.content.get("x-filled")):
            for name in items(entry["of"]):
                if name not in definitions.schemas:
                    notices.append(f"overlays/{overlay.file}: x-filled: no definition is {name}")
                    continue
                for branch in _branches(definitions, name):
                    records.setdefault(branch, []).extend(entry["names"])
    return records, notices


def _branches(definitions: Definitions, name: str) -> Iterator[str]:
    yield name
    for branch in (branch for union in UNIONS for branch in items(members(definitions.schemas[name]).get(union))):
        if "$ref" in members(branch):
            yield from _branches(definitions, branch["$ref"].removeprefix(DEFS))


def _objects(schema: JSON, named: Sequence[str], *, top: bool = True) -> Iterator[tuple[dict[str, Any], Sequence[str]]]:
    """Every object schema inside a definition, with the fields that overlays name for it: those count at its top."""
    if is_list(schema):
        for part in schema:
            yield from _objects(part, named, top=top)
    elif is_document(schema):
        if "properties" in schema:
            yield schema, named if top else ()
        for keyword, part in schema.items():
            if keyword == "properties":
                for child in members(part).values():
                    yield from _objects(child, (), top=False)
            elif keyword != "default":
                yield from _objects(part, named, top=top and keyword in ("allOf", *UNIONS))


def _relieve(schema: dict[str, Any], named: Iterable[str], definitions: Definitions, *, shared: bool) -> None:
    properties = members(schema["properties"])
    for name in properties.keys() & set(named):
        # Libraries hand back what they do not have as null.
        if not _is_nullable(definitions.resolve(properties[name]), definitions):
            properties[name] = {"anyOf": [properties[name], {"type": "null"}]}
    required = schema.pop("required", [])
    filled = [
        name
        for name in required
        if name in named or (name in properties and _is_filled(name, properties[name], definitions, shared=shared))
    ]
    needed = [name for name in required if name not in filled]
    if needed:
        schema["required"] = needed
    if filled:
        schema[FILLED] = filled


def _is_filled(name: str, schema: JSON, definitions: Definitions, *, shared: bool) -> bool:
    meant = {**definitions.resolve(schema), **members(schema)}
    if name in TAGS or "const" in meant or len(meant.get("enum", (1, 2))) == 1:
        return False
    return meant.get("readOnly") is True or "default" in meant or (shared and _is_nullable(meant, definitions))


def _is_nullable(schema: Mapping[str, JSON], definitions: Definitions) -> bool:
    kinds = schema.get("type", ())
    if "null" in ([kinds] if isinstance(kinds, str) else kinds):
        return True
    return any(
        _is_nullable(definitions.resolve(part), definitions) for key in UNIONS for part in items(schema.get(key))
    )
