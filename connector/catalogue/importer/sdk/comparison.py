"""What the SDK's types allow and a document's schemas refuse, or do not know.

The SDK's schema is walked beside the document's. Every place where a value of the SDK's type would be refused becomes
a patch that loosens the document there. What only the document says (bounds, patterns) is left alone.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from connector.catalogue.importer.sdk.document import UNIONS, Document, Node, types_of, values_of
from connector.catalogue.importer.sdk.schemas import PREFIX, Schema
from connector.model import is_list

NULL: Schema = {"type": "null"}
NUMBERS = {"integer", "number"}
TAGS = ("type", "role", "object", "mode", "kind")


@dataclass(frozen=True, slots=True)
class Patch:
    """One loosening: where in the document, what kind, and with what; `where` says the place in words."""

    at: str
    kind: str
    value: Any
    where: str


class Comparison:
    """Compares the SDK's schemas with a document's, definition by definition, each pair once."""

    def __init__(self, document: Document, definitions: Mapping[str, Schema]) -> None:
        self._document = document
        self._definitions = definitions
        self._pairs: dict[tuple[str, str], list[Patch]] = {}

    def patches(self, schema: Schema, node: Node, where: str) -> list[Patch]:
        """What must be loosened so that the document's schema takes every value of the SDK's."""
        if "$ref" in schema and len(self._members(self._definition(schema))) > 1:
            return self._compare_once(schema, node, lambda: self.patches(self._definition(schema), node, where))
        members = self._members(schema)
        missing = NULL in members and not self._document.nullable(node)
        found = [Patch(node.at, "nullable", True, where)] if missing else []
        return found + [p for member in members if member != NULL for p in self._compare_member(member, node, where)]

    def _definition(self, schema: Schema) -> Schema:
        return self._definitions[schema["$ref"].removeprefix(PREFIX)]

    def _members(self, schema: Schema) -> list[Schema]:
        if is_list(kinds := schema.get("type")):
            return [{"type": kind} for kind in kinds]
        members: list[Schema] = schema.get("anyOf", [schema])
        return members

    def _compare_once(self, schema: Schema, node: Node, find: Callable[[], list[Patch]]) -> list[Patch]:
        """What a definition needs at a place; a recursive one that meets itself there is already being asked."""
        key = (schema["$ref"], node.at)
        if key not in self._pairs:
            self._pairs[key] = []
            self._pairs[key] = find()
        return self._pairs[key]

    def _compare_member(self, schema: Schema, node: Node, where: str) -> list[Patch]:
        """One branch of the SDK's type against all the branches of the document's."""
        if "$ref" in schema:
            definition = self._definition(schema)
            if len(self._members(definition)) > 1:
                return self.patches(schema, node, where)
            return self._compare_once(schema, node, lambda: self._compare_branches(definition, node, where, schema))
        return self._compare_branches(schema, node, where, schema)

    def _compare_branches(self, schema: Schema, node: Node, where: str, whole: Schema) -> list[Patch]:
        target = self._document.resolved(node)
        leaves = [leaf for leaf in self._document.leaves(node) if leaf.schema != NULL]
        if not schema or not target.schema or any(not leaf.schema or "$recursiveRef" in leaf.schema for leaf in leaves):
            return []
        if (mine := values_of(schema)) is not None:
            listed = [v for leaf in leaves for v in values_of(leaf.schema) or ()]
            schema = {**schema, "enum": [v for v in mine if v not in listed]}
            if not schema["enum"]:
                return []
        fitting = [leaf for leaf in leaves if self._fits(schema, leaf)]
        tagged = [leaf for leaf in fitting if self._has_tag(schema, leaf)]
        if not fitting:
            return [Patch(self._union(node), "anyOf" if len(leaves) > 1 else "type", [whole], where)]
        return min((self._compare_leaf(schema, leaf, where) for leaf in tagged or fitting), key=len)

    def _union(self, node: Node) -> str:
        """Where a branch is added: at the union itself when there is one, else around what stands here."""
        target = self._document.resolved(node)
        return target.at if any(k in target.schema for k in UNIONS) else node.at

    def _fits(self, schema: Schema, leaf: Node) -> bool:
        """Whether a branch of the document is the one meant: of the same type and with no other tag."""
        if not leaf.schema:
            return True
        kinds, allowed = types_of(schema), types_of(leaf.schema)
        if kinds and allowed and not kinds & allowed and not (kinds <= NUMBERS and allowed & NUMBERS):
            return False
        if kinds != {"object"} or "properties" not in schema:
            return True
        known = self._document.shape(leaf).properties
        shared = set(known) & set(schema["properties"])
        if known and schema["properties"] and not shared:
            return False
        return not any(self._tags(schema["properties"][n], known[n][0]) == "other" for n in shared)

    def _has_tag(self, schema: Schema, leaf: Node) -> bool:
        """Whether a branch bears the tag of the one that is asked for."""
        known = self._document.shape(leaf).properties
        mine = schema.get("properties", {})
        return any(n in known and self._tags(mine[n], known[n][0]) == "same" for n in TAGS if n in mine)

    def _tags(self, schema: Schema, node: Node) -> str | None:
        """Whether two fields name the same kind of thing or another one; None when one of them names nothing."""
        theirs: list[Any] = []
        for leaf in self._document.leaves(node):
            if leaf.schema != NULL:
                if values_of(leaf.schema) is None:
                    return None
                theirs += values_of(leaf.schema) or ()
        mine = values_of(schema)
        return None if mine is None else "same" if any(v in theirs for v in mine) else "other"

    def _compare_leaf(self, schema: Schema, leaf: Node, where: str) -> list[Patch]:
        """One branch of the SDK's type against the one branch of the document's that it fits."""
        mine, theirs = values_of(schema), values_of(leaf.schema)
        if theirs is not None:
            if mine is None:
                return [Patch(leaf.at, "open", True, where)]
            missing = [v for v in mine if v not in theirs]
            return [Patch(leaf.at, "enum", missing, where)] if missing else []
        kinds, allowed = types_of(schema), types_of(leaf.schema)
        if kinds == {"number"} and "integer" in allowed and "number" not in allowed:
            return [Patch(leaf.at, "type", [schema], where)]
        if kinds == {"array"} and "items" in schema and "items" in leaf.schema:
            return self.patches(schema["items"], leaf.child("items"), f"{where}[]")
        return self._compare_objects(schema, leaf, where) if kinds == {"object"} else []

    def _compare_objects(self, schema: Schema, leaf: Node, where: str) -> list[Patch]:
        shape = self._document.shape(leaf)
        if "properties" not in schema:
            values = schema.get("additionalProperties")
            return self.patches(values, shape.values, f"{where}.*") if values and shape.values else []
        found: list[Patch] = []
        if not (shape.values and not shape.properties):
            unknown = {n: s for n, s in schema["properties"].items() if n not in shape.properties}
            found += [Patch(shape.home, "properties", {n: s}, where) for n, s in unknown.items()]
        for name, value in schema["properties"].items():
            for known in shape.properties.get(name, ()):
                found += self.patches(value, known, f"{where}.{name}")
        return found + self._find_spared(set(schema.get("required", ())), shape.required, leaf, where)

    def _find_spared(self, given: set[str], required: Mapping[str, str], leaf: Node, where: str) -> list[Patch]:
        """What the document requires and the SDK does not, whether plainly or as a choice between fields."""
        found = [Patch(at, "optional", [name], where) for name, at in required.items() if name not in given]
        for branches in self._document.choices(leaf):
            if not any(given.issuperset(branch.schema["required"]) for branch in branches):
                spared = [name for name in branches[0].schema["required"] if name not in given]
                found.append(Patch(branches[0].at, "optional", spared, where))
        return found
