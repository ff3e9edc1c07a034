"""An OpenAPI document read with JSON pointers: where a schema stands, what it resolves to, which branches it has."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from connector.model import is_document, is_list

UNIONS = ("anyOf", "oneOf")
REMARKS = {"nullable", "description", "default", "title", "deprecated", "example"}


@dataclass(frozen=True, slots=True)
class Node:
    """A schema of the document and the pointer to it."""

    at: str
    schema: Mapping[str, Any]

    def child(self, *keys: str | int) -> Node:
        """A schema inside this one; a boolean schema reads as an empty one."""
        value: Any = self.schema
        for key in keys:
            value = value[key]
        return Node(self.at + "".join(f"/{escaped(str(k))}" for k in keys), value if is_document(value) else {})


def escaped(key: str) -> str:
    """A key as a JSON pointer spells it."""
    return key.replace("~", "~0").replace("/", "~1")


@dataclass(frozen=True, slots=True)
class Shape:
    """What a schema says of an object, all its allOf parts together; a field that two parts describe has two nodes."""

    properties: Mapping[str, list[Node]]
    required: Mapping[str, str]
    home: str
    values: Node | None


class Document:
    """An OpenAPI document, asked by pointer."""

    def __init__(self, content: Mapping[str, Any]) -> None:
        self.content = content

    def node(self, at: str) -> Node:
        value: Any = self.content
        for key in (k.replace("~1", "/").replace("~0", "~") for k in at.split("/")[1:]):
            value = value[int(key)] if is_list(value) else value[key]
        return Node(at, value)

    def resolved(self, node: Node) -> Node:
        """The schema that a reference, or an allOf of one part, stands for."""
        while True:
            if isinstance(node.schema.get("$ref"), str):
                node = self.node(node.schema["$ref"].removeprefix("#"))
            elif (part := self._only_part(node)) is not None:
                node = node.child("allOf", part)
            else:
                return node

    def _only_part(self, node: Node) -> int | None:
        """Which part of an allOf says all of it; the others, if any, are remarks such as `nullable`."""
        parts = node.schema.get("allOf", ())
        telling = [i for i, part in enumerate(parts) if set(part) - REMARKS]
        return telling[0] if len(telling) == 1 and "properties" not in node.schema else None

    def leaves(self, node: Node) -> Iterator[Node]:
        """The branches of a union, nested unions opened; anything else is its own only branch."""
        node = self.resolved(node)
        kind = next((k for k in UNIONS if k in node.schema), None)
        if kind is None or "properties" in node.schema:
            yield node
            return
        for index in range(len(node.schema[kind])):
            yield from self.leaves(node.child(kind, index))

    def nullable(self, node: Node) -> bool:
        """Whether null is allowed where this schema stands."""
        schema = node.schema
        if schema.get("nullable") or not schema or "$recursiveRef" in schema:
            return True
        if (target := self.resolved(node)).at != node.at:
            return self.nullable(target)
        for kind in UNIONS:
            if any(self.nullable(node.child(kind, i)) for i in range(len(schema.get(kind, ())))):
                return True
        return "null" in types_of(schema) or None in schema.get("enum", ())

    def shape(self, node: Node) -> Shape:
        """The object that a schema describes; the branches of a union among its parts count together."""
        properties: dict[str, list[Node]] = {}
        required: dict[str, str] = {}
        values: Node | None = None
        for part, binding in self._parts(node):
            for name in part.schema.get("properties", {}):
                if binding or name not in properties:
                    properties.setdefault(name, []).append(part.child("properties", name))
            if binding:
                required |= dict.fromkeys(part.schema.get("required", ()), part.at)
            if isinstance(part.schema.get("additionalProperties"), dict):
                values = part.child("additionalProperties")
        own = [i for i, p in enumerate(node.schema.get("allOf", ())) if "properties" in p]
        home = node.child("allOf", own[-1]).at if own and "properties" not in node.schema else node.at
        return Shape(properties, required, home, values)

    def choices(self, node: Node) -> Iterator[list[Node]]:
        """The unions of a schema, or of its allOf parts, whose branches only say which fields are required."""
        for part, binding in self._parts(node):
            for kind in UNIONS:
                branches = part.schema.get(kind, ())
                if binding and branches and all(set(branch) == {"required"} for branch in branches):
                    yield [part.child(kind, index) for index in range(len(branches))]

    def _parts(self, node: Node, binding: bool = True) -> Iterator[tuple[Node, bool]]:
        """A schema with the parts of its allOf, which all bind, and the branches of its unions, which do not."""
        node = self.resolved(node)
        yield node, binding
        for kind in ("allOf", *UNIONS):
            for index in range(len(node.schema.get(kind, ()))):
                yield from self._parts(node.child(kind, index), binding and kind == "allOf")


def types_of(schema: Mapping[str, Any]) -> set[str]:
    """The JSON types a schema allows, as far as it says; empty when it says nothing."""
    kind = schema.get("type")
    if kind is not None:
        return {kind} if isinstance(kind, str) else set(kind)
    if "properties" in schema or "additionalProperties" in schema or "allOf" in schema:
        return {"object"}
    return {"array"} if "items" in schema else {_type_name(v) for v in values_of(schema) or ()}


def values_of(schema: Mapping[str, Any]) -> list[Any] | None:
    """The only values a schema allows, when it lists them."""
    if "const" in schema:
        return [schema["const"]]
    return schema.get("enum")


def _type_name(value: Any) -> str:
    names: dict[type, str] = {str: "string", bool: "boolean", int: "integer", float: "number", type(None): "null"}
    return next((name for kind, name in names.items() if type(value) is kind), "object")
