"""Types, as the SDK writes them, as JSON Schema 2020-12.

Only facts are read: names, types, what is required, literals. TypedDicts and pydantic models become definitions
and are referenced, so that types may be recursive; everything else is translated in place.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import Any

from connector.catalogue.importer.sdk.annotations import Annotations
from connector.catalogue.importer.sdk.type_values import (
    NONE,
    Applied,
    Choice,
    Named,
    Plain,
    Type,
    Values,
    Variable,
    bare,
)

__all__ = ["BINARY", "PREFIX", "Schema", "Translator", "any_of", "list_literals", "open_models"]

Schema = dict[str, Any]
Namer = Callable[[Type], str]

PREFIX = "#/components/schemas/"
BINARY: Schema = {"type": "string", "format": "binary"}
PLAIN: Mapping[str, Schema] = {
    "str": {"type": "string"},
    "int": {"type": "integer"},
    "float": {"type": "number"},
    "bool": {"type": "boolean"},
    "None": {"type": "null"},
    "StrictStr": {"type": "string"},
    "StrictInt": {"type": "integer"},
    "StrictFloat": {"type": "number"},
    "StrictBool": {"type": "boolean"},
    "datetime": {"type": "string", "format": "date-time"},
    "date": {"type": "string", "format": "date"},
    "bytes": BINARY,
    "object": {},
    "Any": {},
    "dict": {"type": "object"},
    "Dict": {"type": "object"},
    "list": {"type": "array"},
    "List": {"type": "array"},
}
JSON_TYPES: Mapping[type, str] = {str: "string", int: "integer", bool: "boolean", type(None): "null"}
ARRAYS = frozenset({"list", "List", "set", "Set", "FrozenSet", "frozenset", "Iterable", "Sequence", "SequenceNotStr"})
OBJECTS = frozenset({"dict", "Dict", "Mapping"})
FILES = frozenset({"PathLike", "IO", "tuple", "Tuple"})


class Translator:
    """Translates types, and remembers every definition that a translation referred to."""

    def __init__(
        self, annotations: Annotations, name: Namer, unions: Collection[Type] = (), notes: list[str] | None = None
    ) -> None:
        self._annotations = annotations
        self._name = name
        self._unions = unions
        self._notes = [] if notes is None else notes
        self.definitions: dict[str, Schema] = {}

    def schema(self, kind: Type) -> Schema:
        """Return the schema of any type; what no schema can say becomes the schema that allows everything."""
        kind = bare(kind)
        match kind:
            case Plain(name) if name in PLAIN:
                return dict(PLAIN[name])
            case Plain(name) if name in FILES:
                return dict(BINARY)
            case Named() if self._annotations.is_typed_dict(kind) or self._annotations.is_model(kind):
                return self._reference(self._name(kind), lambda: self.object(kind))
            case Choice():
                return self._union(kind)
            case Variable(bound):
                return self.schema(bound) if bound else {}
            case Values(values):
                return list_literals(values)
            case Applied():
                return self._generic(kind)
            case _:
                return self._unread(kind)

    def object(self, kind: Named, only: Callable[[str], bool] | None = None) -> Schema:
        """Return a TypedDict or model as an object schema, with the fields whose Python names pass."""
        fields = {n: field for n, field in self._annotations.fields(kind).items() if only is None or only(n)}
        shown: Schema = {
            "type": "object",
            "properties": {field.wire: open_models(field.wire, self.schema(field.kind)) for field in fields.values()},
        }
        if required := [field.wire for field in fields.values() if field.required]:
            shown["required"] = required
        return shown

    def _reference(self, name: str, make: Callable[[], Schema]) -> Schema:
        if name not in self.definitions:
            self.definitions[name] = {}  # taken before it is made, so that a recursive type ends
            self.definitions[name] = make()
        return {"$ref": PREFIX + name}

    def _union(self, kind: Choice) -> Schema:
        members = kind.members
        if kind in self._unions:
            return self._reference(self._name(kind), lambda: any_of([self.schema(m) for m in members]))
        rest = tuple(m for m in members if m != NONE)
        if 1 < len(rest) < len(members) and (named := Choice(rest)) in self._unions:
            return any_of([self.schema(named), PLAIN["None"]])
        return any_of([self.schema(m) for m in members])

    def _generic(self, kind: Applied) -> Schema:
        origin = bare(kind.origin)
        if isinstance(origin, Named):
            if origin.name in ARRAYS:
                return {"type": "array", "items": self.schema(kind.arguments[0])}
            return self.object(origin) if self._annotations.is_model(origin) else self._unread(kind)
        name = origin.name if isinstance(origin, Plain) else ""
        if name in FILES:
            return dict(BINARY)
        if name in ARRAYS:
            return {"type": "array", "items": self.schema(kind.arguments[0])}
        if name in OBJECTS and len(kind.arguments) > 1:
            values = self.schema(kind.arguments[1])
            return {"type": "object", "additionalProperties": values} if values else {"type": "object"}
        return self._unread(kind)

    def _unread(self, kind: Type) -> Schema:
        note = f"the type {getattr(kind, 'text', getattr(kind, 'name', kind))} is taken to be anything"
        if note not in self._notes:
            self._notes.append(note)
        return {}


def open_models(name: str, schema: Schema) -> Schema:
    """A field's schema; names of models are never a closed list, for there will be new ones."""
    if not (name == "model" or name.endswith("_model")):
        return schema
    members = [{"type": "string"} if "enum" in s else s for s in schema.get("anyOf", [schema])]
    return any_of(members)


def list_literals(values: Iterable[Any]) -> Schema:
    """An enum with its type; values of several types go without one."""
    values = list(values)
    kinds = {next((name for kind, name in JSON_TYPES.items() if type(v) is kind), "") for v in values}
    return {"type": kinds.pop(), "enum": values} if len(kinds) == 1 and "" not in kinds else {"enum": values}


def any_of(schemas: Sequence[Schema]) -> Schema:
    """The union, as short as it can be said: nested unions opened, no doubles, no enum beside an open string."""
    flat: list[Schema] = []
    for schema in schemas:
        for member in schema["anyOf"] if set(schema) == {"anyOf"} else [schema]:
            if member not in flat:
                flat.append(member)
    if {} in flat:
        return {}
    open_types = {s["type"] for s in flat if set(s) == {"type"} and isinstance(s["type"], str)}
    flat = [s for s in flat if not ("enum" in s and s.get("type") in open_types)]
    enums = [s for s in flat if set(s) == {"type", "enum"} and s["type"] == "string"]
    if len(enums) > 1:
        values = list(dict.fromkeys(v for s in enums for v in s["enum"]))
        flat = [s for s in flat if s not in enums[1:]]
        flat[flat.index(enums[0])] = list_literals(values)
    if len(flat) > 1 and all(set(s) == {"type"} for s in flat):
        return {"type": [s["type"] for s in flat]}
    return flat[0] if len(flat) == 1 else {"anyOf": flat}
