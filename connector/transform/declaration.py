"""What a step, mapper, condition or accessor declares: name, purpose, fields, and how it is built."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Protocol

from connector.model import JSON
from connector.suggestions import closest, did_you_mean
from connector.transform.block import Block
from connector.transform.errors import ChainFault, KeyPath, format_key_path
from connector.transform.types import Action, Check, Map, Selector

__all__ = ["Accessor", "Builder", "Condition", "Declaration", "Field", "Location", "Mapper", "Step"]


class Builder(Protocol):
    """What the reader of a field may have built: the steps and conditions that are written inside it."""

    @property
    def faults(self) -> list[ChainFault]:
        """Every fault that was found so far."""
        ...

    def block(self, raw: JSON, location: Location) -> Block:
        """Build steps in a row."""
        ...

    def condition(self, raw: JSON, location: Location) -> Check:
        """Build a condition."""
        ...

    def mapper(self, raw: JSON, location: Location) -> Map:
        """Build a mapper."""
        ...

    def accessor(self, raw: JSON, location: Location) -> Selector | None:
        """Build an accessor; None when it has faults."""
        ...

    def saved_chain(self, name: str, parameters: Mapping[str, JSON], location: Location) -> Action:
        """Build the call of a saved chain."""
        ...


@dataclass(frozen=True, slots=True)
class Location:
    """One place of a chain under compilation."""

    path: KeyPath
    builder: Builder
    parameters: Collection[str] | None = ()
    """The parameters that may be named here; None: any."""

    def at(self, *keys: str | int) -> Location:
        """Return the location of a member."""
        return replace(self, path=(*self.path, *keys))

    @property
    def where(self) -> str:
        return format_key_path(self.path)

    def fault(self, found: str, allowed: str, suggestion: str = "") -> None:
        """One thing wrong here."""
        self.builder.faults.append(ChainFault(self.where, found, allowed, suggestion, self.path))

    def unknown(self, found: str, name: str, known: Iterable[str]) -> None:
        """A name that nobody declared."""
        names = list(known)
        self.fault(
            found, f"there are {', '.join(names)}" if names else "none are declared", did_you_mean(closest(name, names))
        )


@dataclass(frozen=True, slots=True)
class Field:
    """One parameter of a declaration: what may stand there and what it is for."""

    kind: str
    """What may stand there, in words."""
    summary: str
    read: Callable[[JSON, Location], Any]
    """Compiles what was given; faults are told to the location."""
    schema: Mapping[str, JSON]
    required: bool = False
    default: JSON = None
    """What stands there when nothing is given; read like anything given."""
    aliases: tuple[str, ...] = ()
    absent: Any = None
    """What the build gets when nothing is given and there is no default."""
    members: Mapping[str, Field] = dataclasses.field(default_factory=dict[str, "Field"])
    """The fields of each item, where a list of objects stands."""

    @property
    def nulls(self) -> bool:
        """Whether null is a value there; elsewhere it stands for nothing given."""
        return self.required or not self.schema

    @property
    def lists(self) -> bool:
        """Whether a list may stand there."""
        return not self.schema or self.schema.get("type") == "array" or "$ref" in self.schema


@dataclass(frozen=True, slots=True)
class Declaration:
    """A named kind with its fields."""

    name: str
    summary: str
    fields: Mapping[str, Field]
    build: Callable[..., Any]
    """Takes the fields as keywords, as their readers made them."""
    aliases: tuple[str, ...] = ()
    sole: str = ""
    """The field that a value which is no object stands for: `trim: " "` for `trim: {characters: " "}`."""
    calls: bool = True
    """Whether what it waits for may be a call: not where it waits for storages alone, or for steps within it."""


class Step(Declaration):
    """A step; its build returns a Run or an Action."""


class Mapper(Declaration):
    """A mapper; its build returns a Map."""


class Condition(Declaration):
    """A condition; its build returns a Predicate or a Check."""


class Accessor(Declaration):
    """An accessor; its build returns a Selector."""
