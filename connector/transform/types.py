"""What a chain runs: built steps, mappers, conditions and accessors, each a plain callable or a small record."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from connector.model import JSON
from connector.transform.context import Scope

__all__ = ["Action", "Check", "Gather", "Many", "Map", "Predicate", "Run", "Selector"]

Run = Callable[[JSON, Scope], Any]
"""A step's work on one document: the document that comes of it, `Many` of them, or an awaitable of either."""
Map = Callable[[JSON, Scope], JSON]
"""A mapper's work on one value."""
Predicate = Callable[[JSON, JSON, Scope], Any]
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
    where: str = ""
    inline: tuple[Action, ...] | None = None
    """The actions it is nothing but a row of."""


@dataclass(frozen=True, slots=True)
class Check:
    """A built condition."""

    holds: Predicate
    awaits: bool = False
    name: str = ""
    where: str = ""


class Selector(Protocol):
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
