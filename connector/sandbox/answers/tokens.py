"""How text is cut and counted here: about the four bytes a token that the connector reckons with."""

from __future__ import annotations

import re

__all__ = ["count", "pieces"]

PIECE = re.compile(r"\s?\w{1,8}|\s?[^\w\s]{1,4}|\s+")
"""A word, or a piece of a long one, with the blank before it; a few signs; or blanks. Nothing is left out."""


def pieces(text: str) -> list[str]:
    """The text in token-like pieces; joined they are the text again."""
    return PIECE.findall(text)


def count(text: str) -> int:
    """How many tokens a text is taken for."""
    return len(PIECE.findall(text))
