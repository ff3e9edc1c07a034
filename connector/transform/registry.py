"""The steps, mappers, conditions and accessors there are: ours, and those of other distributions by entry point."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from typing import TypeVar

from connector.registry import OURS, Registry
from connector.transform.declaration import Accessor, Condition, Declaration, Mapper, Step

__all__ = ["Kinds", "Known", "registry"]

Kind = TypeVar("Kind", bound=Declaration)
GROUPS = "openai_connector"


class Known(Registry[Kind]):
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
    kinds.steps.add_installed(f"{GROUPS}.steps", Step)
    kinds.mappers.add_installed(f"{GROUPS}.mappers", Mapper)
    kinds.conditions.add_installed(f"{GROUPS}.conditions", Condition)
    kinds.accessors.add_installed(f"{GROUPS}.accessors", Accessor)
    return kinds


@cache
def registry() -> Kinds:
    """The kinds of this process."""
    return build()
