"""How much one YAML document may hold, and what keeps count of it."""

from __future__ import annotations

from dataclasses import dataclass

from connector.documents import MAX_DEPTH

__all__ = ["API_DOCUMENT", "CONFIGURATION", "DECLARATIONS", "Budget", "Limits", "TooMuch"]

DEEP = 8
"""Levels for which a value counts once more: a path is as long as it is deep."""


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
"""What stands beside a configuration; the bounds of a schema may go beyond 64 bits."""
API_DOCUMENT = Limits(characters=64 * 1024**2, values=2_000_000, any_integer=True)
"""Ten times the document of the API itself."""


class TooMuch(Exception):
    """A document beyond its limits."""


class Budget:
    """Counts down what a document may still hold; aliases can multiply a few lines beyond any bound."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._values = limits.values
        self._characters = 2 * limits.characters

    def spend(self, depth: int) -> None:
        """Take one value at a depth."""
        if depth > MAX_DEPTH:
            raise TooMuch(f"more than {MAX_DEPTH} levels")
        self._values -= 1 + depth // DEEP
        if self._values < 0:
            raise TooMuch(f"more than {self._limits.values:,} values, deep ones counted more than once")

    def spend_text(self, length: int) -> None:
        """Take the characters of a text."""
        self._characters -= length
        if self._characters < 0:
            raise TooMuch(f"more than {2 * self._limits.characters:,} characters in its values")
