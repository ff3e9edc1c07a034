"""What a step, mapper, condition or accessor says of itself: name, purpose, fields, and how it is built."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from connector.model import JSON
from connector.transform.context import Scope

if TYPE_CHECKING:
    from connector.transform.site import Site

__all__ = [
    "Accessor",
    "Action",
    "Condition",
    "Declaration",
    "Field",
    "Gather",
    "Look",
    "Many",
    "Map",
    "Mapper",
    "Run",
    "Step",
    "Test",
    "Verdict",
]

Run = Callable[[JSON, Scope], Any]
"""A step's work on one document: the document that comes of it, `Many` of them, or an awaitable of either."""
Map = Callable[[JSON, Scope], JSON]
"""A mapper's work on one value."""
Verdict = Callable[[JSON, JSON, Scope], Any]
"""Whether a value fulfils a condition; the document it is part of comes second. May be awaitable."""


class Many(list[JSON]):
    """Several documents where there was one."""

    __slots__ = ()


class Gather(Protocol):
    """What makes few documents of many; one for each run."""

    @property
    def due(self) -> float | None:
        """When, on the monotonic clock, what is kept must go on whether or not more documents come."""
        ...

    def take(self, document: JSON) -> list[JSON]:
        """Keep a document; the documents that are complete with it."""
        ...

    def rest(self) -> list[JSON]:
        """What is left when no more come."""
        ...


@dataclass(frozen=True, slots=True)
class Action:
    """A built step. A build that returns a plain function means an action that neither awaits nor changes the count."""

    run: Run
    awaits: bool = False
    many: bool = False
    gather: Callable[[Scope], Gather] | None = None
    name: str = ""
    place: str = ""
    inline: tuple[Action, ...] | None = None
    """The actions it is nothing but a row of."""


@dataclass(frozen=True, slots=True)
class Test:
    """A built condition."""

    __test__ = False  # not for pytest

    holds: Verdict
    awaits: bool = False
    name: str = ""
    place: str = ""


class Look(Protocol):
    """A built accessor: the places of a document that it names."""

    @property
    def sole(self) -> tuple[str, ...] | None:
        """The one path it names, when it is always the same."""
        ...

    def places(self, document: JSON) -> list[tuple[tuple[str, ...], JSON]]:
        """The paths that exist, with what stands there."""
        ...

    def whole(self, document: JSON) -> list[tuple[tuple[str, ...], JSON]]:
        """The containers it is about: what list and key mappers map, as a whole."""
        ...

    def read(self, document: JSON, *, enclosed: bool) -> dict[str, JSON]:
        """What it names as one object; enclosed: below the path of its container."""
        ...

    def write(self, document: JSON, members: Mapping[str, JSON]) -> JSON:
        """The document with these members where the accessor points."""
        ...

    def clear(self, document: JSON) -> JSON:
        """The document without what it names."""
        ...


@dataclass(frozen=True, slots=True)
class Field:
    """One parameter of a declaration: what may stand there and what it is for."""

    kind: str
    """What may stand there, in words."""
    summary: str
    read: Callable[[JSON, Site], Any]
    """Compiles what was given; faults are told to the site."""
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
    """A condition; its build returns a Verdict or a Test."""


class Accessor(Declaration):
    """An accessor; its build returns a Look."""
