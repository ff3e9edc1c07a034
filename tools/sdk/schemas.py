"""Python types, as the official SDK writes them, as JSON Schema 2020-12.

Only facts are read: names, types, what is required, literals. TypedDicts and pydantic models become definitions
and are referenced, so that types may be recursive; everything else is translated in place.
"""

from __future__ import annotations

import datetime as dt
import inspect
import types
import typing
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from os import PathLike
from typing import Any, TypeVar

import typing_extensions as te
from pydantic import BaseModel

Schema = dict[str, Any]
Namer = Callable[[Any], str]

PREFIX = "#/components/schemas/"
BINARY: Schema = {"type": "string", "format": "binary"}
PLAIN: dict[Any, Schema] = {
    str: {"type": "string"},
    int: {"type": "integer"},
    float: {"type": "number"},
    bool: {"type": "boolean"},
    type(None): {"type": "null"},
    None: {"type": "null"},
    dt.datetime: {"type": "string", "format": "date-time"},
    dt.date: {"type": "string", "format": "date"},
    bytes: BINARY,
    object: {},
    Any: {},
    dict: {"type": "object"},
    list: {"type": "array"},
}
JSON_TYPES = {str: "string", int: "integer", bool: "boolean", type(None): "null"}
ARRAYS = (list, set, frozenset, Iterable, Sequence, AbstractSet)
FILES = (PathLike, typing.IO, tuple)


def is_typed_dict(kind: Any) -> bool:
    return isinstance(kind, type) and te.is_typeddict(kind)


def is_model(kind: Any) -> bool:
    return isinstance(kind, type) and not typing.get_args(kind) and issubclass(kind, BaseModel)


def is_union(kind: Any) -> bool:
    return typing.get_origin(kind) in (typing.Union, types.UnionType)


def bare(kind: Any) -> Any:
    """The type without Required, NotRequired and Annotated around it."""
    while typing.get_origin(kind) in (te.Required, te.NotRequired, te.Annotated, typing.Annotated):
        kind = typing.get_args(kind)[0]
    return kind


def annotations_of(kind: Any) -> list[Any]:
    """What Annotated says beside the type, wherever Required stands."""
    found: list[Any] = []
    while typing.get_origin(kind) in (te.Required, te.NotRequired, te.Annotated, typing.Annotated):
        found += getattr(kind, "__metadata__", ())
        kind = typing.get_args(kind)[0]
    return found


def wire_name(name: str, kind: Any) -> str:
    """A field's name on the wire: its alias where it has one."""
    aliases = [a for a in (getattr(mark, "alias", None) for mark in annotations_of(kind)) if a]
    return str(aliases[0]) if aliases else name


def is_required(kind: Any, total: bool) -> bool:
    """Whether a TypedDict's field must be given; Required and NotRequired win over the class's totality."""
    while (origin := typing.get_origin(kind)) in (te.Required, te.NotRequired, te.Annotated, typing.Annotated):
        if origin is te.Required:
            return True
        if origin is te.NotRequired:
            return False
        kind = typing.get_args(kind)[0]
    return total


def fields_of(kind: Any) -> dict[str, tuple[Any, bool]]:
    """A TypedDict's fields with their types (annotations kept) and whether they are required, bases first."""
    found: dict[str, tuple[Any, bool]] = {}
    for base in te.get_original_bases(kind):
        if is_typed_dict(base):
            found |= fields_of(base)
    total = bool(kind.__total__)
    for name, hint in te.get_type_hints(kind, include_extras=True).items():
        if name not in found:
            found[name] = (hint, is_required(hint, total))
    return found


class Translator:
    """Translates types, and remembers every definition that a translation referred to."""

    def __init__(self, name: Namer, unions: Collection[Any] = ()) -> None:
        self._name = name
        self._unions = unions
        self.definitions: dict[str, Schema] = {}

    def schema(self, kind: Any) -> Schema:
        """The schema of any type; what no schema can say becomes the schema that allows everything."""
        kind = bare(kind)
        if _known(kind):
            return dict(PLAIN[kind])
        if is_typed_dict(kind) or is_model(kind):
            return self._reference(self._name(kind), lambda: self.object(kind))
        if is_union(kind):
            return self._union(kind)
        if isinstance(kind, TypeVar):
            return self.schema(kind.__bound__) if kind.__bound__ else {}
        return self._generic(kind)

    def object(self, kind: Any, only: Callable[[str], bool] | None = None) -> Schema:
        """A TypedDict or model as an object schema, with the fields whose Python names pass."""
        if is_model(kind):
            fields = {n: (f.annotation, f.is_required(), f.alias or n) for n, f in kind.model_fields.items()}
        else:
            fields = {n: (hint, must, wire_name(n, hint)) for n, (hint, must) in fields_of(kind).items()}
        fields = {n: parts for n, parts in fields.items() if only is None or only(n)}
        shown: Schema = {"type": "object", "properties": {w: opened(w, self.schema(k)) for k, _, w in fields.values()}}
        if required := [wire for _, must, wire in fields.values() if must]:
            shown["required"] = required
        return shown

    def _reference(self, name: str, make: Callable[[], Schema]) -> Schema:
        if name not in self.definitions:
            self.definitions[name] = {}  # taken before it is made, so that a recursive type ends
            self.definitions[name] = make()
        return {"$ref": PREFIX + name}

    def _union(self, kind: Any) -> Schema:
        members = typing.get_args(kind)
        if kind in self._unions:
            return self._reference(self._name(kind), lambda: any_of([self.schema(m) for m in members]))
        rest = tuple(m for m in members if m is not type(None))
        if len(rest) < len(members) and (named := typing.Union[rest]) in self._unions:  # noqa: UP007 (made at run time)
            return any_of([self.schema(named), PLAIN[None]])
        return any_of([self.schema(m) for m in members])

    def _generic(self, kind: Any) -> Schema:
        origin, args = typing.get_origin(kind), typing.get_args(kind)
        if origin in (typing.Literal, te.Literal):
            return literal(args)
        if kind in FILES or origin in FILES:
            return dict(BINARY)
        if origin in ARRAYS:
            return {"type": "array", "items": self.schema(args[0])}
        if origin in (dict, Mapping):
            values = self.schema(args[1])
            return {"type": "object", "additionalProperties": values} if values else {"type": "object"}
        if inspect.isclass(origin) and issubclass(origin, BaseModel):
            return self.object(origin)
        raise TypeError(f"no schema is known for {kind!r}; teach tools/sdk/schemas.py this type")


def _known(kind: Any) -> bool:
    try:
        return kind in PLAIN
    except TypeError:  # not hashable, so not a plain type
        return False


def opened(name: str, schema: Schema) -> Schema:
    """A field's schema; names of models are never a closed list, for there will be new ones."""
    if not (name == "model" or name.endswith("_model")):
        return schema
    members = [{"type": "string"} if "enum" in s else s for s in schema.get("anyOf", [schema])]
    return any_of(members)


def literal(values: Iterable[Any]) -> Schema:
    """An enum with its type; values of several types go without one."""
    values = list(values)
    kinds = {JSON_TYPES[type(v)] for v in values}
    return {"type": kinds.pop(), "enum": values} if len(kinds) == 1 else {"enum": values}


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
        flat[flat.index(enums[0])] = literal(values)
    if len(flat) > 1 and all(set(s) == {"type"} for s in flat):
        return {"type": [s["type"] for s in flat]}
    return flat[0] if len(flat) == 1 else {"anyOf": flat}
