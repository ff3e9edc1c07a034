"""A YAML document as plain values with their places and faults, and the limits of what is read."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import reduce

from connector.documents import MAX_DEPTH, member_path
from connector.model import JSON

__all__ = [
    "API_DOCUMENT",
    "CONFIGURATION",
    "DECLARATIONS",
    "Budget",
    "LimitExceeded",
    "Limits",
    "Path",
    "Position",
    "YamlDocument",
    "YamlFault",
]

Path = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Position:
    """A position in a text, counted from one."""

    line: int
    column: int


@dataclass(frozen=True, slots=True)
class YamlFault:
    """One thing in a text that is not JSON, or not YAML."""

    rule: str
    position: Position
    path: Path
    found: str
    allowed: str

    def __str__(self) -> str:
        where = reduce(member_path, self.path, "").removeprefix(".")
        said = f"{where}: {self.found}" if where else self.found
        return f"line {self.position.line}, column {self.position.column}: {said}; {self.allowed}"


@dataclass(slots=True)
class YamlDocument:
    """Plain values, and for each path the positions of its key (of a list item, the item) and of its value."""

    value: JSON = None
    places: dict[Path, tuple[Position, Position]] = field(default_factory=dict[Path, tuple[Position, Position]])
    faults: list[YamlFault] = field(default_factory=list[YamlFault])


DEEP = 8
"""A value counts once more for each of these many levels: a path is as long as it is deep."""


@dataclass(frozen=True, slots=True)
class Limits:
    """The bounds of one document.

    Args:
        characters: the longest text that is read.
        values: how many values it may hold once its aliases are followed.
        faults: how many faults are looked for.
        any_integer: whether integers beyond 64 bits are read.
    """

    characters: int
    values: int
    faults: int = 100
    any_integer: bool = False


CONFIGURATION = Limits(characters=1024**2, values=200_000)
"""Twenty thousand lines a file: far above what people keep in one, and read within seconds."""
DECLARATIONS = Limits(characters=4 * 1024**2, values=200_000, any_integer=True)
"""Declarations beside a configuration; the bounds of a schema may go beyond 64 bits."""
API_DOCUMENT = Limits(characters=64 * 1024**2, values=2_000_000, any_integer=True)
"""Ten times the document of the API itself."""


class LimitExceeded(Exception):
    """A document beyond its limits."""


class Budget:
    """Counts down the limits of a document; aliases can multiply a few lines beyond any bound."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._values = limits.values
        self._characters = 2 * limits.characters

    def spend(self, depth: int) -> None:
        """Take one value at a depth."""
        if depth > MAX_DEPTH:
            raise LimitExceeded(f"more than {MAX_DEPTH} levels")
        self._values -= 1 + depth // DEEP
        if self._values < 0:
            raise LimitExceeded(f"more than {self._limits.values:,} values, deep ones counted more than once")

    def spend_text(self, length: int) -> None:
        """Take the characters of a text."""
        self._characters -= length
        if self._characters < 0:
            raise LimitExceeded(f"more than {2 * self._limits.characters:,} characters in its values")
