"""Vectors of texts: hashed words and parts of words, so that texts that share them are near."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Sequence
from zlib import crc32

__all__ = ["vector"]

WORD = re.compile(r"\w+")
STOP = frozenset("a an and are as at be by for from i in is it of on or that the this to was with you".split())  # noqa: SIM905
"""Words that say nothing of what a text is about: they count little."""
LITTLE, WHOLE, PART = 0.2, 2.0, 0.5


def vector(said: str | Sequence[int], dimensions: int) -> list[float]:
    """The unit vector of a text, or of a text's tokens."""
    weights: dict[int, float] = {}
    for feature, weight in _features(said):
        code = crc32(feature.encode(errors="replace"))
        weights[code] = weights.get(code, 0.0) + weight
    made = [0.0] * dimensions
    for code, weight in weights.items():
        # Rare repeats count less and less; one bit of the code is the sign, so that collisions cancel out.
        made[(code >> 1) % dimensions] += math.sqrt(weight) * (1 if code & 1 else -1)
    length = math.sqrt(sum(value * value for value in made))
    if not length:
        made[0] = length = 1.0
    return [value / length for value in made]


def _features(said: str | Sequence[int]) -> Iterable[tuple[str, float]]:
    if not isinstance(said, str):
        yield from ((f"token {token}", WHOLE) for token in said)
        return
    for word in WORD.findall(said.casefold()) or [said]:
        little = LITTLE if word in STOP else 1.0
        yield word, WHOLE * little
        framed = f"^{word}$"
        for start in range(len(framed) - 2):
            yield framed[start : start + 3], PART * little
