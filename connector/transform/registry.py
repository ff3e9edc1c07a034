"""The steps, mappers, conditions and accessors there are: ours, and those of other distributions by entry point."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from typing import TypeVar

from connector.errors import ConfigurationError
from connector.registry import Registry
from connector.transform.declaration import Accessor, Condition, Declaration, Mapper, Step

__all__ = ["Kinds", "Known", "registry"]

Kind = TypeVar("Kind", bound=Declaration)
OURS = "openai-connector"


class Known(Registry[Kind]):
    """Declarations by name and alias, each with the distribution it comes from."""

    def __init__(self, noun: str, kinds: Iterable[Kind] = ()) -> None:
        self.origins: dict[str, str] = {}
        self._aliases: dict[str, str] = {}
        super().__init__(noun, kinds)

    def add(self, kind: Kind, origin: str = OURS) -> None:
        for name in (kind.name, *kind.aliases):
            if name in self:
                first = self.origins[self._aliases.get(name, name)]
                raise ConfigurationError(
                    f"two {self.noun}s are named {name!r}, of {first} and of {origin}: remove one of them"
                )
        super().add(kind)
        self.origins[kind.name] = origin
        self._aliases |= dict.fromkeys(kind.aliases, kind.name)

    def find(self, name: str) -> Kind:
        return super().find(self._aliases.get(name, name))

    def __contains__(self, name: object) -> bool:
        return name in self.origins or name in self._aliases

    def add_points(self, points: Iterable[EntryPoint], expected: type[Kind]) -> None:
        """What other distributions declare."""
        for point in points:
            kind = point.load()
            if not isinstance(kind, expected):
                raise ConfigurationError(
                    f"entry point {point.name!r} of {point.group} is no {self.noun}: {type(kind).__name__}"
                )
            self.add(kind, f"{point.dist.name} {point.dist.version}" if point.dist else point.value)


@dataclass(frozen=True, slots=True)
class Kinds:
    """Everything a chain may be made of."""

    steps: Known[Step]
    mappers: Known[Mapper]
    conditions: Known[Condition]
    accessors: Known[Accessor]


def build() -> Kinds:
    """Ours, then those that are installed; a name that is taken is refused."""
    from connector.transform.accessors import ACCESSORS
    from connector.transform.conditions import CONDITIONS
    from connector.transform.mappers import MAPPERS
    from connector.transform.steps import STEPS

    kinds = Kinds(
        Known("step", STEPS), Known("mapper", MAPPERS), Known("condition", CONDITIONS), Known("accessor", ACCESSORS)
    )
    kinds.steps.add_points(_points("steps"), Step)
    kinds.mappers.add_points(_points("mappers"), Mapper)
    kinds.conditions.add_points(_points("conditions"), Condition)
    kinds.accessors.add_points(_points("accessors"), Accessor)
    return kinds


def _points(kind: str) -> list[EntryPoint]:
    return sorted(entry_points(group=f"openai_connector.{kind}"), key=lambda point: point.name)


@cache
def registry() -> Kinds:
    """The kinds of this process."""
    return build()
