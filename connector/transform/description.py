"""What there is, for docs: the field tables of declarations."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from connector.model import JSON
from connector.transform.declaration import Declaration, Field
from connector.transform.registry import Kinds, Known, registry

__all__ = ["Description", "FieldRow", "Noun", "describe", "field_rows", "names"]

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
    rows = tuple(field_rows(declared.fields))
    return Description(
        kind, declared.name, declared.summary, rows, declared.aliases, declared.sole, known.origins[declared.name]
    )


def field_rows(fields: Mapping[str, Field], within: str = "") -> Iterator[FieldRow]:
    """Yield each field, and behind a list of objects the fields of its items."""
    for name, field in fields.items():
        yield FieldRow(f"{within}{name}", field.kind, field.summary, field.required, field.default, field.aliases)
        yield from field_rows(field.members, f"{within}{name}[].")


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
