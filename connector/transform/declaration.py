"""What a step, mapper, condition or accessor declares: name, purpose, fields, and how it is built."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Protocol

from connector.model import JSON, JSONInput, JSONValue
from connector.suggestions import closest, did_you_mean
from connector.transform.block import Block
from connector.transform.errors import ChainFault, KeyPath, format_key_path
from connector.transform.types import Action, Check, Map, Selector

__all__ = ["Accessor", "Builder", "Condition", "Declaration", "Field", "Location", "Mapper", "Step"]


class Builder(Protocol):
    """Builds the steps, conditions, mappers and accessors that are written inside a field."""

    @property
    def faults(self) -> list[ChainFault]:
        """Return the faults found so far."""
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
    """The parameters that templates may name here; None allows any."""

    def at(self, *keys: str | int) -> Location:
        """Return the location of a member."""
        return replace(self, path=(*self.path, *keys))

    @property
    def where(self) -> str:
        return format_key_path(self.path)

    def fault(self, found: str, allowed: str, suggestion: str = "") -> None:
        """Report one thing wrong here."""
        self.builder.faults.append(ChainFault(self.where, found, allowed, suggestion, self.path))

    def unknown(self, found: str, name: str, known: Iterable[str]) -> None:
        """Report a name that is not declared, with the ones that are."""
        names = list(known)
        self.fault(
            found, f"there are {', '.join(names)}" if names else "none are declared", did_you_mean(closest(name, names))
        )


@dataclass(frozen=True, slots=True)
class Field:
    """One parameter of a declaration: its type and its purpose."""

    kind: str
    """Its type, in words."""
    summary: str
    read: Callable[[JSONValue, Location], object]
    """Compiles the given value; faults are reported to the location."""
    schema: Mapping[str, JSONInput]
    required: bool = False
    default: JSONValue = None
    """The value when none is given; it is read like a given one."""
    aliases: tuple[str, ...] = ()
    absent: object = None
    """What the build gets when no value is given and there is no default."""
    members: Mapping[str, Field] = dataclasses.field(default_factory=dict[str, "Field"])
    """The fields of each item of a list of objects."""

    @property
    def nulls(self) -> bool:
        """Whether null is a value; elsewhere it means that none is given."""
        return self.required or not self.schema

    @property
    def lists(self) -> bool:
        """Whether a list is allowed."""
        return not self.schema or self.schema.get("type") == "array" or "$ref" in self.schema


@dataclass(frozen=True, slots=True)
class Declaration:
    """A named kind with its fields."""

    name: str
    summary: str
    fields: Mapping[str, Field]
    build: Callable[..., object]
    """Takes the fields as keywords, as their readers made them."""
    aliases: tuple[str, ...] = ()
    sole: str = ""
    """The field that gets a value which is no object: `trim: " "` for `trim: {characters: " "}`."""
    calls: bool = True
    """Whether it may make calls; false where it only waits for storages or for the steps within it."""


class Step(Declaration):
    """A step; its build returns a Run or an Action."""


class Mapper(Declaration):
    """A mapper; its build returns a Map."""


class Condition(Declaration):
    """A condition; its build returns a Predicate or a Check."""


class Accessor(Declaration):
    """An accessor; its build returns a Selector."""
