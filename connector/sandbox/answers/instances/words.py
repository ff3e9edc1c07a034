"""The words of what was said, handed out as phrases."""

from __future__ import annotations

import re

from connector.sandbox.answers.dice import Dice

__all__ = ["Words"]

WORD = re.compile(r"\w+(?:['-]\w+)*")
PARTS = re.compile(r"[\W_]+")
LONGEST = 2000
"""Further into a text nobody looks for words."""


class Words:
    """Phrases out of one text; a text without words lends its own."""

    def __init__(self, said: str) -> None:
        self.said = said[:LONGEST]
        self._words = WORD.findall(self.said) or ["sandbox"]
        self._known = {part.casefold() for word in self._words for part in (word, *PARTS.split(word))}

    def phrase(self, place: str, dice: Dice, size: int = 3) -> str:
        """Some words that follow one another, taken where the dice say."""
        start = dice.number(place, max(1, len(self._words) - size + 1))
        return " ".join(self._words[start : start + size])

    def endless(self, length: int) -> str:
        """The words over and over, cut at a length."""
        text = " ".join(self._words)
        return (f"{text} " * (length // (len(text) + 1) + 1))[:length]

    def mentions(self, name: str) -> bool:
        """Whether every word of a name was said, whatever its separators and capitals."""
        parts = [part.casefold() for part in PARTS.split(name) if part]
        return bool(parts) and all(part in self._known for part in parts)
