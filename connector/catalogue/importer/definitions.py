"""The schema definitions of a document, normalized and safely named."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping

import orjson

from connector.catalogue.importer.document import follow
from connector.catalogue.importer.normalization import POINTER, normalize_schema
from connector.catalogue.schemas import DEFS, find_references
from connector.errors import ConfigurationError
from connector.model import JSON, is_document, is_list, members

__all__ = ["Definitions"]

SMALL = 160
"""A definition whose JSON is no longer than this is inlined in a parameter."""


class Definitions:
    """The definitions of one document, and those that operations declare inline."""

    def __init__(self, document: Mapping[str, JSON]) -> None:
        self._document = document
        self.schemas: dict[str, JSON] = {}
        components = members(members(document.get("components")).get("schemas"))
        self._names = dict(_make_names_safe(components))
        for name, schema in components.items():
            self.schemas[self._names[name]] = normalize_schema(schema, name, self._rename)
        self._open_referenced_models()

    def place(self, schema: JSON, hint: str) -> str:
        """Return the name of a schema: of the definition it refers to, else of a new one named after the hint."""
        if is_document(schema) and set(schema) == {"$ref"}:
            return self._rename(schema["$ref"]).removeprefix(DEFS)
        return self._add(schema, hint)

    def named(self, name: str) -> JSON:
        """Return a definition by name."""
        if name not in self.schemas:
            raise ConfigurationError(f"a reference leads to the schema {name!r}, which is not in the document")
        return self.schemas[name]

    def parameter(self, schema: JSON) -> JSON:
        """Return a parameter's schema with small definitions inlined."""
        return self._inline(normalize_schema(schema, "", self._rename))

    def properties(self, schema: JSON) -> dict[str, JSON]:
        """Return the properties of a normalized object schema, through references and allOf."""
        schema = self.resolve(schema)
        found: dict[str, JSON] = {}
        for part in schema.get("allOf", []):
            found |= self.properties(part)
        found |= schema.get("properties", {})
        return found

    def resolve(self, schema: JSON) -> Mapping[str, JSON]:
        """Return a normalized schema itself, or the definition it refers to."""
        while is_document(schema) and "$ref" in schema:
            schema = self.named(schema["$ref"].removeprefix(DEFS).split("/")[0])
        return schema if is_document(schema) else {}

    def closure(self, names: Iterable[str]) -> set[str]:
        """Return these definitions and all they refer to."""
        reached: set[str] = set()
        waiting = list(names)
        while waiting:
            name = waiting.pop()
            if name not in reached:
                reached.add(name)
                waiting.extend(find_references(self.named(name)))
        return reached

    def _rename(self, reference: str) -> str:
        if not reference.startswith(POINTER):
            hint = "".join(part[:1].upper() + part[1:] for part in re.split(r"\W+", reference))
            return DEFS + self._add_reference(reference, hint)
        name, _, below = reference.removeprefix(POINTER).partition("/")
        return DEFS + self._names.get(name, _make_safe(name)) + (f"/{below}" if below else "")

    def _add_reference(self, reference: str, hint: str) -> str:
        if reference not in self._names:
            self._names[reference] = self._add(follow(self._document, {"$ref": reference}), hint)
        return self._names[reference]

    def _add(self, schema: JSON, hint: str) -> str:
        name = _make_safe(hint)
        while name in self.schemas:
            name += "Inline"
        self.schemas[name] = True
        self.schemas[name] = normalize_schema(schema, name, self._rename)
        return name

    def _inline(self, schema: JSON) -> JSON:
        if is_list(schema):
            return [self._inline(item) for item in schema]
        if not is_document(schema):
            return schema
        if set(schema) == {"$ref"}:
            resolved = self.resolve(schema)
            small = not any(find_references(resolved)) and len(orjson.dumps(resolved)) <= SMALL
            return dict(resolved) if small else schema
        return {key: self._inline(value) for key, value in schema.items()}

    def _open_referenced_models(self) -> None:
        """Open a closed list of names that a property called `model` refers to."""
        for schema in self.schemas.values():
            model = schema.get("properties", {}).get("model") if is_document(schema) else None
            if is_document(model) and "$ref" in model and len(self.resolve(model).get("enum", [])) > 1:
                schema["properties"]["model"] = {"anyOf": [{"type": "string"}, model]}


def _make_safe(name: str) -> str:
    return re.sub(r"[^A-Za-z0-9_.-]", "_", name) or "_"


def _make_names_safe(names: Iterable[str]) -> Iterator[tuple[str, str]]:
    taken: set[str] = set()
    for name in names:
        safe = _make_safe(name)
        while safe in taken:
            safe += "_"
        taken.add(safe)
        yield name, safe
