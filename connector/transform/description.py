"""What there is, for schemas, lint and docs: field tables of declarations, and the JSON Schema of a chain."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Literal

from connector.model import JSON
from connector.transform.declaration import Declaration
from connector.transform.fields import object_schema
from connector.transform.registry import Kinds, Known, registry

__all__ = ["Description", "FieldRow", "definitions", "describe", "names"]

Noun = Literal["step", "mapper", "condition", "accessor"]


@dataclass(frozen=True, slots=True)
class FieldRow:
    """One field as docs show it."""

    name: str
    kind: str
    summary: str
    required: bool
    default: JSON
    aliases: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Description:
    """One declaration as docs show it."""

    kind: Noun
    name: str
    summary: str
    fields: tuple[FieldRow, ...]
    aliases: tuple[str, ...]
    sole: str
    origin: str


def describe(kind: Noun, name: str, kinds: Kinds | None = None) -> Description:
    """What a declaration says of itself; UnknownName when there is none."""
    known = _known(kinds or registry(), kind)
    declared: Declaration = known.find(name)
    rows = tuple(
        FieldRow(name, field.kind, field.summary, field.required, field.default, field.aliases)
        for name, field in declared.fields.items()
    )
    return Description(
        kind, declared.name, declared.summary, rows, declared.aliases, declared.sole, known.origins[declared.name]
    )


def names(kind: Noun, kinds: Kinds | None = None) -> list[str]:
    """The names of one kind, in their order."""
    return [declared.name for declared in _known(kinds or registry(), kind)]


def _known(kinds: Kinds, kind: Noun) -> Known[Any]:
    known: dict[Noun, Known[Any]] = {
        "step": kinds.steps,
        "mapper": kinds.mappers,
        "condition": kinds.conditions,
        "accessor": kinds.accessors,
    }
    return known[kind]


def definitions(chains: Iterable[str] = (), kinds: Kinds | None = None) -> dict[str, JSON]:
    """The `$defs` that schemas of configurations refer to: `steps`, `step`, `conditions`, `mappers`, `accessor` …

    Args:
        chains: the saved chains that may be named.
    """
    kinds = kinds or registry()
    name: dict[str, JSON] = {"type": "string", "description": "A saved chain."}
    calls: list[dict[str, JSON]] = [{"type": "object", "required": [chain], "maxProperties": 2} for chain in chains]
    step = [name, *_shapes(kinds.steps), *calls]
    return {
        "steps": _row("step"),
        "step": {"anyOf": step},
        "conditions": _row("condition"),
        "condition": {"anyOf": [_bare(kinds.conditions), *_shapes(kinds.conditions)]},
        "mappers": _row("mapper"),
        "mapper": {"anyOf": [_bare(kinds.mappers), *_shapes(kinds.mappers)]},
        "accessor": {"anyOf": [{"type": "string", "description": "A pattern."}, *_shapes(kinds.accessors)]},
    }


def _row(name: str) -> dict[str, JSON]:
    one = {"$ref": f"#/$defs/{name}"}
    return {"anyOf": [{"type": "array", "items": one}, one]}


def _bare(known: Known[Any]) -> dict[str, JSON]:
    """The names that can stand alone: those that need nothing."""
    return {"enum": [kind.name for kind in known if not any(field.required for field in kind.fields.values())]}


def _shapes(known: Known[Any]) -> list[dict[str, JSON]]:
    """For each declaration, its short form and its long one."""
    return [shape for kind in known for shape in _both(kind)]


def _both(kind: Declaration) -> list[dict[str, JSON]]:
    names = [kind.name, *kind.aliases]
    members = object_schema(kind.fields)
    allowed = [members, *([kind.fields[kind.sole].schema] if kind.sole else [])]
    parameters: dict[str, JSON] = {"anyOf": allowed} if len(allowed) > 1 else members
    parameters = {**parameters, "description": kind.summary}
    if not members.get("allOf"):
        parameters = {"anyOf": [parameters, {"type": "null"}, {"type": "array", "maxItems": 0}]}
    short: list[dict[str, JSON]] = [
        {
            "type": "object",
            "properties": {name: parameters, "meta": {}},
            "required": [name],
            "additionalProperties": False,
        }
        for name in names
    ]
    long: dict[str, JSON] = {
        "type": "object",
        "properties": {"prototype": {"enum": names}, "parameters": parameters, "meta": {}},
        "required": ["prototype"],
        "additionalProperties": False,
    }
    return [*short, long]
