"""Which texts are nearest to a query: by the words they share, rare ones counting more."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Sequence

__all__ = ["scores", "terms"]

WORD = re.compile(r"\w+")
ENDINGS = ("ing", "ies", "ed", "es", "s", "e", "y")


def terms(text: str) -> list[str]:
    """The words of a text without case and endings."""
    return [_stem(word) for word in WORD.findall(text.casefold())]


def scores(query: str, texts: Sequence[str]) -> list[float]:
    """How near each text is to the query, from 0 to 1; the same words in the same number are 1."""
    found = [Counter(terms(text)) for text in texts]
    spread = Counter(term for counts in found for term in counts)
    wanted = Counter(terms(query))
    weights = {term: math.log(1 + (1 + len(texts)) / (1 + spread[term])) for term in wanted}
    whole = sum(weight * wanted[term] for term, weight in weights.items())
    return [_score(counts, wanted, weights, whole) for counts in found]


def _score(counts: Counter[str], wanted: Counter[str], weights: dict[str, float], whole: float) -> float:
    """Mostly how much of the query is there, a little how much of the text the query is."""
    if not whole:
        return 0.0
    covered = sum(weight * min(counts[term], wanted[term]) for term, weight in weights.items()) / whole
    shared = sum(min(counts[term], wanted[term]) for term in wanted) / max(counts.total(), wanted.total())
    return round(0.9 * covered + 0.1 * shared, 6)


def _stem(word: str) -> str:
    ending = next((one for one in ENDINGS if word.endswith(one) and len(word) - len(one) >= 3), "")
    return word.removesuffix(ending)
