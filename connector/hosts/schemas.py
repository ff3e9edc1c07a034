"""Schemas as hosts take them: without references, no deeper and no larger than what a list of tools can carry.

A shortened schema says less than the whole one: alternatives are joined, and that a value may be null is left out,
since it may be left out itself. What a request lacks is found before it is sent, by the whole one.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import orjson

from connector.model import JSON, is_document, items, members

if TYPE_CHECKING:
    from connector.catalogue import Catalogue
    from connector.catalogue.operation import Operation

__all__ = ["document_schema", "request_schema", "shorten"]

DEPTHS = ((20_000, 5), (8_000, 4), (4_000, 3), (0, 2))
"""How deep a schema is shown at first, by how large it may be: to try more takes longer than it is worth."""
MOST_BRANCHES = 4
MOST_CHOICES = 40
KEPT = ("type", "enum", "const", "default", "minimum", "maximum", "minItems", "maxItems", "format", "description")
PLACEHOLDER = re.compile(r"(?<!\\)([&?])\{([^{}]*)\}")
PLAIN = re.compile(r"[A-Za-z_][\w-]*(?:\.[\w-]+)*")
ANYTHING: Mapping[str, JSON] = {"type": "object"}


def shorten(schema: Mapping[str, JSON], most: int) -> dict[str, JSON]:
    """Return a schema without references of at most so many bytes, the deepest parts left out first.

    Args:
        schema: self-contained, its definitions below `$defs`.
        most: bytes; required properties are named in any case.
    """
    root = members(schema.get("$defs"))
    deepest = next(depth for size, depth in DEPTHS if most >= size)
    for bonus in (1, 0):
        for depth in range(deepest, 0, -1):
            found = _expand(schema, _Place(root, depth, bonus))
            if len(orjson.dumps(found)) <= most:
                return found
    for bonus in (1, 0):
        found = _drop_optional(_expand(schema, _Place(root, 1, bonus)), most)
        if len(orjson.dumps(found)) <= most:
            return found
    return _drop_optional(_expand(schema, _Place(root, 0, 0)), most)


def request_schema(operation: Operation, catalogue: Catalogue, most: int) -> dict[str, JSON]:
    """Return the schema of an operation's request: its path, query and payload, as far as it has them."""
    properties: dict[str, JSON] = {}
    required: list[str] = []
    if operation.parameters:
        properties["path"] = shorten(catalogue.path_schema(operation), most)
        required.append("path")
    if operation.query:
        properties["query"] = shorten(catalogue.query_schema(operation), most // 3)
        required += ["query"] if operation.required_query else []
    payload = catalogue.payload_schema(operation)
    if payload is not None:
        left = max(most - len(orjson.dumps(properties)), 200)
        properties["payload"] = shorten(payload, left)
        required += ["payload"] if operation.payload_required else []
    schema: dict[str, JSON] = {"type": "object", "properties": properties, "additionalProperties": False}
    return {**schema, "required": required} if required else schema


def document_schema(chain: JSON, template: JSON, find_chain: Callable[[str], JSON]) -> dict[str, JSON]:
    """Return the schema of a document by what a chain and a template read of it.

    Args:
        chain: the steps, as they are written.
        template: of the request; only where there is no chain does it read the document itself.
        find_chain: returns a chain with parameters, by its name; None when there is none.
    """
    steps = items(chain)
    first = steps[0] if steps else template
    declared = members(members(first).get("schema")).get("schema")
    if is_document(declared):
        return shorten(declared, 8_000)
    found: dict[str, JSON] = {}
    required: list[str] = []
    for mark, name in _names_in(first):
        found.setdefault(name, {})
        required += [name] if mark == "&" and name not in required else []
    found |= dict(_parameters_left(first, find_chain))
    if not found:
        return dict(ANYTHING)
    schema: dict[str, JSON] = {"type": "object", "properties": found}
    return {**schema, "required": required} if required else schema


def _names_in(value: JSON) -> Iterator[tuple[str, str]]:
    """Yield the members of the document that placeholders name, with the mark of each."""
    if isinstance(value, str):
        for mark, body in PLACEHOLDER.findall(value):
            if PLAIN.fullmatch(body.strip()):
                yield mark, body.strip().partition(".")[0]
    for inner in value.values() if is_document(value) else items(value):
        yield from _names_in(inner)


def _parameters_left(step: JSON, find_chain: Callable[[str], JSON]) -> Iterator[tuple[str, dict[str, JSON]]]:
    """Yield what a ready-made chain takes from the document, since the step does not say it."""
    name = step if isinstance(step, str) else next(iter(members(step)), "")
    chain = find_chain(name)
    given = members(members(step).get(name))
    for parameter, declared in members(members(chain).get("parameters")).items():
        if parameter in given:
            continue
        for _, read in _names_in(members(declared).get("default")):
            yield read, _describe(members(declared))


def _describe(parameter: Mapping[str, JSON]) -> dict[str, JSON]:
    """Return the schema of a chain's parameter."""
    kinds = parameter.get("type")
    shown: dict[str, JSON] = {}
    if isinstance(kinds, str):
        shown = _any_of(kinds)
    elif items(kinds):
        shown = {"anyOf": [_any_of(kind) for kind in items(kinds)]}
    said = parameter.get("description")
    return {**shown, "description": said} if said else shown


@dataclass(frozen=True, slots=True)
class _Place:
    """Where in a schema something stands.

    Attributes:
        root: the definitions.
        depth: levels that are shown below here.
        bonus: levels more for what is required.
        within: definitions that this is inside of.
    """

    root: Mapping[str, JSON]
    depth: int
    bonus: int
    within: tuple[str, ...] = ()
    known: dict[tuple[str, int, int], dict[str, JSON]] = field(
        default_factory=dict[tuple[str, int, int], dict[str, JSON]]
    )
    """What definitions come to at a depth."""

    def into(self, *, required: bool) -> _Place:
        if required and self.bonus:
            return replace(self, bonus=self.bonus - 1)
        return replace(self, depth=self.depth - 1)


def _expand(schema: JSON, at: _Place) -> dict[str, JSON]:
    """Return a schema with its references replaced; what is too deep, or inside itself, may be anything of its type."""
    if not is_document(schema):
        return {}
    reference = schema.get("$ref")
    if isinstance(reference, str):
        name = reference.rsplit("/", 1)[-1]
        if name in at.within:
            return {}
        key = (name, at.depth, at.bonus)
        if key not in at.known:
            at.known[key] = _expand(at.root.get(name), replace(at, within=(*at.within, name)))
        return at.known[key]
    found = _own(schema)
    for part in items(schema.get("allOf")):
        found = _join(found, _expand(part, at))
    branches = [_expand(one, at) for one in items(schema.get("anyOf") or schema.get("oneOf"))]
    if branches:
        found = _join(found, _choose(branches))
    found = _join(found, _members_of(schema, at))
    return {**found, "items": {}} if found.get("type") == "array" and "items" not in found else found


def _own(schema: Mapping[str, JSON]) -> dict[str, JSON]:
    """Return what a schema says by itself of a value that is not null."""
    found = {key: schema[key] for key in KEPT if schema.get(key) is not None}
    choices = [found.pop("const")] if "const" in found else [one for one in items(found.get("enum")) if one is not None]
    found.pop("enum", None)
    if 0 < len(choices) <= MOST_CHOICES:
        found["enum"] = choices
    kinds = [one for one in items(found.get("type")) if one != "null"]
    if kinds:
        found["type"] = kinds[0] if len(kinds) == 1 else kinds
    return found


def _members_of(schema: Mapping[str, JSON], at: _Place) -> dict[str, JSON]:
    """Return what a schema says of what is in an object or a list."""
    found: dict[str, JSON] = {}
    properties = schema.get("properties")
    if is_document(properties):
        found["type"] = "object"
        required = [name for name in items(schema.get("required")) if name in properties]
        if at.depth > 0:
            found["properties"] = {
                name: _expand(one, at.into(required=name in required)) for name, one in properties.items()
            }
            found |= {"required": required} if required else {}
    if "items" in schema:
        found |= {"type": "array", "items": _expand(schema["items"], at.into(required=True)) if at.depth > 0 else {}}
    return found


def _choose(branches: list[dict[str, JSON]]) -> dict[str, JSON]:
    """Return alternatives as one schema."""
    kept: list[dict[str, JSON]] = []
    for branch in branches:
        if branch != {"type": "null"} and branch not in kept:
            kept.append(branch)
    if {} in kept or not kept:
        return {}
    if len(kept) == 1:
        return kept[0]
    kinds = {kind if isinstance(kind := branch.get("type"), str) else None for branch in kept}
    if kinds == {"object"}:
        return _merge(kept)
    if len(kinds) == 1 and None not in kinds:
        return _any_of(next(iter(kinds)))
    simple = list({orjson.dumps(one.get("type")): one for one in kept if isinstance(one.get("type"), str)}.values())
    if len(simple) == len(kept):
        return {"anyOf": kept} if len(kept) <= MOST_BRANCHES else {}
    # Of several of one type, the type is what can be said of them.
    several = [
        _any_of(one["type"]) if sum(each.get("type") == one["type"] for each in kept) > 1 else one for one in simple
    ]
    return {"anyOf": several} if 1 < len(several) <= MOST_BRANCHES and None not in kinds else {}


def _any_of(kind: JSON) -> dict[str, JSON]:
    """Return the schema of any value of a type; hosts refuse lists that do not say what is in them."""
    return {"type": kind, "items": {}} if kind == "array" else {"type": kind}


def _merge(branches: list[dict[str, JSON]]) -> dict[str, JSON]:
    """Return objects of several kinds as one: with every property, and those required that each of them requires."""
    properties: dict[str, JSON] = {}
    for branch in branches:
        for name, one in members(branch.get("properties")).items():
            known = properties.get(name)
            properties[name] = one if known is None else _choose_value(members(known), members(one))
    required = [
        name
        for name in items(branches[0].get("required"))
        if all(name in items(branch.get("required")) for branch in branches)
    ]
    merged: dict[str, JSON] = {"type": "object"} | ({"properties": properties} if properties else {})
    return {**merged, "required": required} if required else merged


def _choose_value(one: dict[str, JSON], other: dict[str, JSON]) -> dict[str, JSON]:
    if "enum" in one and "enum" in other:
        return {**one, "enum": list(dict.fromkeys([*items(one["enum"]), *items(other["enum"])]))}
    if one == other:
        return one
    return _any_of(one["type"]) if one.get("type") == other.get("type") and isinstance(one.get("type"), str) else {}


def _join(one: dict[str, JSON], other: Mapping[str, JSON]) -> dict[str, JSON]:
    joined = {**one, **other}
    if "properties" in one and "properties" in other:
        joined["properties"] = {**members(one["properties"]), **members(other["properties"])}
    if "required" in one and "required" in other:
        joined["required"] = list(dict.fromkeys([*items(one["required"]), *items(other["required"])]))
    return joined


def _drop_optional(schema: dict[str, JSON], most: int) -> dict[str, JSON]:
    """Return a flat schema with the required properties, and as many others as fit; the rest is not forbidden."""
    required = items(schema.get("required"))
    properties = members(schema.get("properties"))
    kept = {name: properties[name] for name in required if name in properties}
    size = len(orjson.dumps({**schema, "properties": kept}))
    for name, one in properties.items():
        size += len(orjson.dumps({name: one}))
        if name not in kept and size <= most:
            kept[name] = one
    shown = {key: value for key, value in schema.items() if key not in ("properties", "anyOf", "enum")}
    return {**shown, "type": schema.get("type", "object"), "properties": kept} if kept else dict(ANYTHING)
