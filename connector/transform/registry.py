"""The steps, mappers, conditions and accessors: ours, and those of other distributions by entry point."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, Literal, TypeVar

from connector.model import JSON
from connector.registry import OURS, Registry
from connector.transform.declaration import Accessor, Condition, Declaration, Field, Mapper, Step

__all__ = ["Description", "FieldRow", "KindRegistry", "Kinds", "Noun", "describe", "field_rows", "names", "registry"]

Kind = TypeVar("Kind", bound=Declaration)
GROUPS = "openai_connector"


class KindRegistry(Registry[Kind]):
    """Declarations by name and alias."""

    def __init__(self, noun: str, kinds: Iterable[Kind] = ()) -> None:
        self._aliases: dict[str, str] = {}
        super().__init__(noun, kinds)

    def add(self, kind: Kind, origin: str = OURS) -> None:
        for alias in kind.aliases:
            self.refuse_taken(alias, origin)
        super().add(kind, origin)
        self._aliases |= dict.fromkeys(kind.aliases, kind.name)

    def origin_of(self, name: str) -> str:
        return super().origin_of(self._aliases.get(name, name))

    def find(self, name: str) -> Kind:
        return super().find(self._aliases.get(name, name))

    def __contains__(self, name: object) -> bool:
        return super().__contains__(name) or name in self._aliases


@dataclass(frozen=True, slots=True)
class Kinds:
    """Everything a chain may be made of."""

    steps: KindRegistry[Step]
    mappers: KindRegistry[Mapper]
    conditions: KindRegistry[Condition]
    accessors: KindRegistry[Accessor]


def build() -> Kinds:
    """Build the registry: ours, then those that are installed; a name that is taken is refused."""
    from connector.transform.accessors import ACCESSORS
    from connector.transform.conditions import CONDITIONS
    from connector.transform.mappers import MAPPERS
    from connector.transform.steps import STEPS

    kinds = Kinds(
        KindRegistry("step", STEPS),
        KindRegistry("mapper", MAPPERS),
        KindRegistry("condition", CONDITIONS),
        KindRegistry("accessor", ACCESSORS),
    )
    kinds.steps.add_installed(f"{GROUPS}.steps", Step)
    kinds.mappers.add_installed(f"{GROUPS}.mappers", Mapper)
    kinds.conditions.add_installed(f"{GROUPS}.conditions", Condition)
    kinds.accessors.add_installed(f"{GROUPS}.accessors", Accessor)
    return kinds


@cache
def registry() -> Kinds:
    """Return the kinds of this process."""
    return build()


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
    """Describe a declaration by its name; raise UnknownName when there is none."""
    known = _registry_of(kinds or registry(), kind)
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
    """Return the names of one kind in order."""
    return [declared.name for declared in _registry_of(kinds or registry(), kind)]


def _registry_of(kinds: Kinds, kind: Noun) -> KindRegistry[Any]:
    known: dict[Noun, KindRegistry[Any]] = {
        "step": kinds.steps,
        "mapper": kinds.mappers,
        "condition": kinds.conditions,
        "accessor": kinds.accessors,
    }
    return known[kind]
