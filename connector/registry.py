"""Named kinds: what ships with the connector and what others add by entry point, in one value."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from importlib.metadata import entry_points
from typing import Generic, Protocol, TypeVar

from connector.errors import ConfigurationError, UnknownName
from connector.suggest import closest

__all__ = ["Named", "Registry"]


class Named(Protocol):
    """Anything that is found by its name."""

    @property
    def name(self) -> str: ...


Kind = TypeVar("Kind", bound=Named)


class Registry(Generic[Kind]):
    """Kinds by name; a name that is taken is refused."""

    def __init__(self, noun: str, kinds: Iterable[Kind] = ()) -> None:
        self.noun = noun
        self._kinds: dict[str, Kind] = {}
        for kind in kinds:
            self.add(kind)

    def add(self, kind: Kind) -> None:
        if kind.name in self._kinds:
            raise ConfigurationError(f"two {self.noun}s are named {kind.name!r}: remove one of them")
        self._kinds[kind.name] = kind

    def add_installed(self, group: str, expected: type[Kind]) -> None:
        """Adds what other distributions declare under an entry point group."""
        for point in sorted(entry_points(group=group), key=lambda point: point.name):
            kind = point.load()
            if not isinstance(kind, expected):
                raise ConfigurationError(
                    f"entry point {point.name!r} of {group} is a {type(kind).__name__}, not a {self.noun}"
                )
            self.add(kind)

    def find(self, name: str) -> Kind:
        if name not in self._kinds:
            raise UnknownName(self.noun, name, closest(name, self._kinds), f"there are {', '.join(self._kinds)}")
        return self._kinds[name]

    def __contains__(self, name: object) -> bool:
        return name in self._kinds

    def __iter__(self) -> Iterator[Kind]:
        return iter(self._kinds.values())
