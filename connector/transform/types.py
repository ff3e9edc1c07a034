"""What a chain runs: built steps, mappers, conditions and accessors, each a plain callable or a small record."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from connector.model import JSON
from connector.transform.context import Scope

__all__ = ["Action", "Check", "Gather", "Many", "Map", "Predicate", "Run", "Selector"]

Run = Callable[[JSON, Scope], Any]
"""The work of a step on one document: returns a document, `Many` of them, or an awaitable of either."""
Map = Callable[[JSON, Scope], JSON]
"""The work of a mapper on one value."""
Predicate = Callable[[JSON, JSON, Scope], Any]
"""Whether a value fulfils a condition; its document comes second. May be awaitable."""


class Many(list[JSON]):
    """Several documents where there was one."""

    __slots__ = ()


class Gather(Protocol):
    """Makes few documents of many; there is one for each run."""

    @property
    def due(self) -> float | None:
        """When, on the monotonic clock, the gathered documents must go on."""
        ...

    def take(self, document: JSON) -> list[JSON]:
        """Add a document and return those that are complete with it."""
        ...

    def rest(self) -> list[JSON]:
        """Return what is left when no more documents come."""
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
    """The actions in a row that it consists of, if that is all it is."""


@dataclass(frozen=True, slots=True)
class Check:
    """A built condition."""

    holds: Predicate
    awaits: bool = False
    name: str = ""
    where: str = ""


class Selector(Protocol):
    """A built accessor: selects parts of a document."""

    @property
    def sole(self) -> tuple[str, ...] | None:
        """The one path it names, if that is the same for every document."""
        ...

    def places(self, document: JSON) -> list[tuple[tuple[str, ...], JSON]]:
        """Return the paths that exist with their values."""
        ...

    def whole(self, document: JSON) -> list[tuple[tuple[str, ...], JSON]]:
        """Return the containers that list and key mappers map as a whole."""
        ...

    def read(self, document: JSON, *, enclosed: bool) -> dict[str, JSON]:
        """Return the selected parts as one object; enclosed: below the path of their container."""
        ...

    def write(self, document: JSON, members: Mapping[str, JSON]) -> JSON:
        """Return the document with these members where the accessor points."""
        ...

    def clear(self, document: JSON) -> JSON:
        """Return the document without the selected parts."""
        ...
