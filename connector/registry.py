"""Named kinds: those that ship with the connector, and those that other distributions add by entry point."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from importlib.metadata import EntryPoint, entry_points
from typing import Generic, Protocol, TypeVar

from connector.errors import ConfigurationError, UnknownName
from connector.suggestions import closest

__all__ = ["OURS", "Named", "Registry", "installed_points"]

OURS = "openai-connector"
"""The origin of kinds that ship with the connector."""


GROUPS = "openai_connector."
"""What the names of our groups of entry points begin with."""


class Named(Protocol):
    """Anything that is found by its name."""

    @property
    def name(self) -> str: ...


Kind = TypeVar("Kind", bound=Named)


class Registry(Generic[Kind]):
    """Kinds by name, each with the distribution that it comes from; a taken name is refused."""

    def __init__(self, noun: str, kinds: Iterable[Kind] = ()) -> None:
        self.noun = noun
        self.origins: dict[str, str] = {}
        self._kinds: dict[str, Kind] = {}
        for kind in kinds:
            self.add(kind)

    def add(self, kind: Kind, origin: str = OURS) -> None:
        """Add a kind that comes from the distribution `origin`."""
        self.refuse_taken(kind.name, origin)
        self._kinds[kind.name] = kind
        self.origins[kind.name] = origin

    def refuse_taken(self, name: str, origin: str) -> None:
        """Raise ConfigurationError with both distributions when a name is taken."""
        if name in self:
            raise ConfigurationError(
                f"two {self.noun}s are named {name!r}, of {self.origin_of(name)} and of {origin}: remove one of them"
            )

    def origin_of(self, name: str) -> str:
        """Return the distribution that a kind comes from."""
        return self.origins[name]

    def add_installed(self, group: str, expected: type[Kind]) -> None:
        """Add the kinds that other distributions declare under an entry point group."""
        points = installed_points(tuple(sys.path)).get(group, ())
        self.add_points(sorted(points, key=lambda point: point.name), expected)

    def add_points(self, points: Iterable[EntryPoint], expected: type[Kind]) -> None:
        """Add the kinds that entry points name; raise ConfigurationError for one that cannot be loaded or is none."""
        for point in points:
            kind = _load(point)
            if not isinstance(kind, expected):
                raise ConfigurationError(
                    f"{_describe(point)} is of type {type(kind).__name__}, not a {self.noun}:"
                    f" correct {_origin(point)} or uninstall it"
                )
            self.add(kind, _origin(point))

    def find(self, name: str) -> Kind:
        """Return the kind of a name; raise UnknownName with suggestions."""
        if name not in self._kinds:
            raise UnknownName(self.noun, name, closest(name, self._kinds), f"there are {', '.join(self._kinds)}")
        return self._kinds[name]

    def __contains__(self, name: object) -> bool:
        return name in self._kinds

    def __iter__(self) -> Iterator[Kind]:
        return iter(self._kinds.values())


@lru_cache(maxsize=1)
def installed_points(path: tuple[str, ...]) -> Mapping[str, Sequence[EntryPoint]]:  # noqa: ARG001  the cache's key
    """Return the entry points of all distributions by group, read once: each has a file, and every client asks."""
    found = entry_points()
    return {group: tuple(found.select(group=group)) for group in found.groups if group.startswith(GROUPS)}


def _load(point: EntryPoint) -> object:
    try:
        return point.load()
    except Exception as error:  # code of others may raise anything while it is imported
        raise ConfigurationError(
            f"{_describe(point)} cannot be loaded ({type(error).__name__}: {error}):"
            f" repair {_origin(point)} or uninstall it"
        ) from error


def _describe(point: EntryPoint) -> str:
    return f"entry point {point.name!r} of {point.group}"


def _origin(point: EntryPoint) -> str:
    return f"{point.dist.name} {point.dist.version}" if point.dist else point.value
