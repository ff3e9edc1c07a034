"""Who may do what: a viewer looks, an operator handles tasks and routes, an editor changes the configuration."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

__all__ = ["Person", "Role"]


class Role(StrEnum):
    """What a person or a program may do; each role may do what those before it may."""

    VIEWER = "viewer"
    OPERATOR = "operator"
    EDITOR = "editor"

    def includes(self, needed: Role) -> bool:
        """Return whether this role may do what another one may."""
        order = list(Role)
        return order.index(self) >= order.index(needed)


@dataclass(frozen=True, slots=True)
class Person:
    """Who makes a request.

    Attributes:
        name: the name in the configuration, or `local` for whoever opened the printed link.
        by: how it is known.
    """

    name: str
    role: Role
    by: Literal["session", "token"]
