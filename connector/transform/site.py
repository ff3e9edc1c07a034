"""Where something stands while a chain is compiled: its place, and whom to tell about faults."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from connector.suggestions import closest, did_you_mean
from connector.transform.signals import ChainFault, Place, shown_place

if TYPE_CHECKING:
    from connector.transform.compiler import Compiler

__all__ = ["Site"]


@dataclass(frozen=True, slots=True)
class Site:
    """One place of a chain under compilation."""

    place: Place
    compiler: Compiler
    parameters: Collection[str] | None = ()
    """The parameters that may be named here; None: any."""

    def at(self, *keys: str | int) -> Site:
        """The site of a member."""
        return replace(self, place=(*self.place, *keys))

    @property
    def where(self) -> str:
        return shown_place(self.place)

    def fault(self, found: str, allowed: str, suggestion: str = "") -> None:
        """One thing wrong here."""
        self.compiler.faults.append(ChainFault(self.where, found, allowed, suggestion, self.place))

    def unknown(self, found: str, name: str, known: Iterable[str]) -> None:
        """A name that nobody declared."""
        names = list(known)
        self.fault(
            found, f"there are {', '.join(names)}" if names else "none are declared", did_you_mean(closest(name, names))
        )
