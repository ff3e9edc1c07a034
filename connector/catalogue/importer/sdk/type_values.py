"""Types of the SDK as values that compare as the types themselves would."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

__all__ = [
    "MARKS", "NONE", "Applied", "Choice", "Field", "Marked", "Named", "Plain", "Type", "Unknown", "Values", "Variable",
    "arguments_of", "bare", "is_choice",
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Plain:
    """A type that is no class of the SDK: `str`, `None`, `datetime`, `List`."""

    name: str


@dataclass(frozen=True, slots=True)
class Named:
    """A class of the SDK, by the module that defines it."""

    module: str
    name: str


@dataclass(frozen=True, slots=True)
class Values:
    """A `Literal`."""

    values: tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Applied:
    """A generic type with its arguments."""

    origin: Type
    arguments: tuple[Type, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Choice:
    """A union; as in Python, the order of its members does not matter."""

    members: tuple[Type, ...]

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Choice) and frozenset(self.members) == frozenset(other.members)

    def __hash__(self) -> int:
        return hash(frozenset(self.members))


@dataclass(frozen=True, slots=True)
class Marked:
    """A type inside Required, NotRequired or Annotated, with the alias that the latter gives its field."""

    mark: str
    inner: Type
    alias: str | None = None


@dataclass(frozen=True, slots=True)
class Variable:
    """A type variable."""

    bound: Type | None


@dataclass(frozen=True, slots=True)
class Unknown:
    """An annotation that is not understood, as it is written."""

    text: str


Type = Plain | Named | Values | Applied | Choice | Marked | Variable | Unknown
NONE = Plain("None")
MARKS = ("Required", "NotRequired", "Annotated", "ReadOnly")


@dataclass(frozen=True, slots=True)
class Field:
    """One field of a class: its type, whether it must be given, and its name on the wire."""

    kind: Type
    required: bool
    wire: str


def bare(kind: Type) -> Type:
    """Return the type without Required, NotRequired and Annotated around it."""
    while isinstance(kind, Marked):
        kind = kind.inner
    return kind


def is_choice(kind: Type) -> bool:
    return isinstance(kind, Choice)


def arguments_of(kind: Type) -> tuple[Type, ...]:
    """Return the members of a union, or the arguments of a generic type."""
    return kind.members if isinstance(kind, Choice) else kind.arguments if isinstance(kind, Applied) else ()
