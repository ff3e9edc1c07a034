"""Schemas of requests: relaxed where the API fills in, extended where callers hand answers back.

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
from typing import Any

from connector.catalogue.importer.definitions import Definitions
from connector.catalogue.importer.overlays import Overlays
from connector.catalogue.schemas import DEFS, FILLED
from connector.model import JSON, is_document, is_list, items, members

__all__ = ["accept_returned_answers", "iterate_branches", "relax_requests"]

UNIONS = ("anyOf", "oneOf")
TAGS = frozenset({"type", "role"})


def relax_requests(definitions: Definitions, asked: set[str], answered: set[str], overlays: Overlays) -> list[str]:
    """Require nothing in requests that the API fills in; return notices of overlays that fit nothing."""
    records, notices = _collect_records(definitions, overlays)
    for name in sorted(asked):
        shared = name in answered
        for schema, named in _iterate_objects(definitions.schemas[name], records.get(name, ())):
            _relax(schema, named, definitions, shared=shared)
    return notices


def _collect_records(definitions: Definitions, overlays: Overlays) -> tuple[dict[str, list[str]], list[str]]:
    """Return the fields that overlays name as filled in, by definition; a union is replaced by its branches."""
    records: dict[str, list[str]] = {}
    notices: list[str] = []
    for overlay in overlays.files:
        for entry in items(overlay.content.get("x-filled")):
            for name in items(entry["of"]):
                if name not in definitions.schemas:
                    notices.append(f"overlays/{overlay.file}: x-filled: no definition is {name}")
                    continue
                for branch in _iterate_named_branches(definitions, name):
                    records.setdefault(branch, []).extend(entry["names"])
    return records, notices


def _iterate_named_branches(definitions: Definitions, name: str) -> Iterator[str]:
    yield name
    for branch in (branch for union in UNIONS for branch in items(members(definitions.schemas[name]).get(union))):
        if "$ref" in members(branch):
            yield from _iterate_named_branches(definitions, branch["$ref"].removeprefix(DEFS))


def _iterate_objects(
    schema: JSON, named: Sequence[str], *, top: bool = True
) -> Iterator[tuple[dict[str, Any], Sequence[str]]]:
    """Yield every object schema inside a definition, with the fields that overlays name for its top."""
    if is_list(schema):
        for part in schema:
            yield from _iterate_objects(part, named, top=top)
    elif is_document(schema):
        if "properties" in schema:
            yield schema, named if top else ()
        for keyword, part in schema.items():
            if keyword == "properties":
                for child in members(part).values():
                    yield from _iterate_objects(child, (), top=False)
            elif keyword != "default":
                yield from _iterate_objects(part, named, top=top and keyword in ("allOf", *UNIONS))


def _relax(schema: dict[str, Any], named: Iterable[str], definitions: Definitions, *, shared: bool) -> None:
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
    resolved = {**definitions.resolve(schema), **members(schema)}
    if name in TAGS or "const" in resolved or len(resolved.get("enum", (1, 2))) == 1:
        return False
    return resolved.get("readOnly") is True or "default" in resolved or (shared and _is_nullable(resolved, definitions))


def _is_nullable(schema: Mapping[str, JSON], definitions: Definitions) -> bool:
    kinds = schema.get("type", ())
    if "null" in ([kinds] if isinstance(kinds, str) else kinds):
        return True
    return any(
        _is_nullable(definitions.resolve(part), definitions) for key in UNIONS for part in items(schema.get(key))
    )


TAG = "type"


def accept_returned_answers(definitions: Definitions, overlays: Overlays) -> list[str]:
    """Let requests hold what answers hold; return notices of overlays that fit nothing."""
    notices: list[str] = []
    merger = _Merger(definitions)
    for overlay in overlays.files:
        for entry in items(overlay.content.get("x-handed-back")):
            names = [entry["as"], *entry["from"]]
            unknown = [name for name in names if name not in definitions.schemas]
            notices += [f"overlays/{overlay.file}: x-handed-back: no definition is {name}" for name in unknown]
            if not unknown:
                for name in entry["from"]:
                    merger.merge({"$ref": DEFS + name}, {"$ref": DEFS + entry["as"]})
    return notices


def iterate_branches(definitions: Definitions, schema: JSON) -> Iterator[dict[str, Any]]:
    """Yield the object schemas of a schema, through references and unions."""
    resolved = definitions.resolve(schema)
    if "properties" in resolved:
        yield resolved  # type: ignore[misc]
    for branch in (branch for union in UNIONS for branch in items(resolved.get(union))):
        yield from iterate_branches(definitions, branch)


class _Merger:
    def __init__(self, definitions: Definitions) -> None:
        self._definitions = definitions
        self._merged: set[tuple[int, int]] = set()

    def merge(self, answer: JSON, request: JSON) -> None:
        """Extend the branches of a request with those of an answer that have the same tag."""
        requested = list(iterate_branches(self._definitions, request))
        for ours in iterate_branches(self._definitions, answer):
            for theirs in requested:
                if ours is not theirs and self._read_tags(ours) & self._read_tags(theirs):
                    self._extend(theirs, ours)
        answers, requests = self._find_items(answer), self._find_items(request)
        for item in answers:
            for other in requests:
                self.merge(item, other)

    def _extend(self, request: dict[str, Any], answer: dict[str, Any]) -> None:
        pair = (id(request), id(answer))
        if pair in self._merged:
            return
        self._merged.add(pair)
        for name, schema in answer["properties"].items():
            if name in request["properties"]:
                self.merge(schema, request["properties"][name])
            else:
                request["properties"][name] = schema

    def _read_tags(self, schema: dict[str, Any]) -> set[JSON]:
        """Return the values of the property that tells branches apart; untagged branches are all alike."""
        tag = members(self._definitions.resolve(schema["properties"].get(TAG)))
        return set(tag["enum"] if "enum" in tag else [tag.get("const")])

    def _find_items(self, schema: JSON) -> list[JSON]:
        resolved = self._definitions.resolve(schema)
        found = [resolved["items"]] if is_document(resolved.get("items")) else []
        for branch in (branch for union in UNIONS for branch in items(resolved.get(union))):
            found += self._find_items(branch)
        return found
