"""The kinds of subscribers and publishers that a configuration may name; the caller passes them in."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Protocol

from pydantic import BaseModel

__all__ = ["Kind", "Kinds"]


class Kind(Protocol):
    """A prototype's declaration."""

    @property
    def name(self) -> str: ...

    @property
    def summary(self) -> str: ...

    @property
    def parameters(self) -> type[BaseModel]: ...


@dataclass(frozen=True, slots=True)
class Kinds:
    """The kinds of incoming and outgoing connections; None for kinds that are not known and not checked."""

    incoming: Mapping[str, Kind] | None = None
    outgoing: Mapping[str, Kind] | None = None

    @classmethod
    def of(cls, incoming: Iterable[Kind], outgoing: Iterable[Kind]) -> Kinds:
        """Return the kinds by their names."""
        return cls({kind.name: kind for kind in incoming}, {kind.name: kind for kind in outgoing})
