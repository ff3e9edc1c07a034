"""Measures of how similar two texts are."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from difflib import SequenceMatcher

__all__ = ["measure_similarity"]

LONGEST_TEXT = 4000
"""The limit of characters, since two of the measures take quadratic time."""


def measure_similarity(measure: str, given: str, reference: str) -> float:
    """Return a number from 0 to 1; equal texts are 1 by every measure."""
    if measure == "fuzzy_match":
        return SequenceMatcher(None, given[:LONGEST_TEXT], reference[:LONGEST_TEXT], autojunk=False).ratio()
    words, wanted = given[:LONGEST_TEXT].casefold().split(), reference[:LONGEST_TEXT].casefold().split()
    if not words or not wanted:
        return float(words == wanted)
    return MEASURES[measure](words, wanted)


def _cosine(words: Sequence[str], wanted: Sequence[str]) -> float:
    left, right = Counter(words), Counter(wanted)
    dot = sum(left[word] * right[word] for word in left)
    return min(1.0, dot / math.sqrt(sum(n * n for n in left.values()) * sum(n * n for n in right.values())))


def _count_shared(words: Sequence[str], wanted: Sequence[str], size: int) -> tuple[int, int, int]:
    left = Counter(zip(*(words[start:] for start in range(size)), strict=False))
    right = Counter(zip(*(wanted[start:] for start in range(size)), strict=False))
    return (left & right).total(), left.total(), right.total()


def _build_rouge(size: int) -> Callable[[Sequence[str], Sequence[str]], float]:
    def measure(words: Sequence[str], wanted: Sequence[str]) -> float:
        shared, ours, theirs = _count_shared(words, wanted, size)
        return 2 * shared / (ours + theirs) if ours + theirs else float(words == wanted)

    return measure


def _bleu(words: Sequence[str], wanted: Sequence[str]) -> float:
    return _ngrams(words, wanted, lambda shared, ours, _: shared / ours) * _brevity(words, wanted)


def _gleu(words: Sequence[str], wanted: Sequence[str]) -> float:
    return _ngrams(words, wanted, lambda shared, ours, theirs: shared / max(ours, theirs))


def _ngrams(words: Sequence[str], wanted: Sequence[str], share: Callable[[int, int, int], float]) -> float:
    """Return the geometric mean of the shares of runs of one to four words."""
    sizes = range(1, min(4, len(words), len(wanted)) + 1)
    shares = [share(*_count_shared(words, wanted, size)) for size in sizes]
    return math.prod(shares) ** (1 / len(shares))


def _brevity(words: Sequence[str], wanted: Sequence[str]) -> float:
    return min(1.0, math.exp(1 - len(wanted) / len(words)))


def _meteor(words: Sequence[str], wanted: Sequence[str]) -> float:
    shared, ours, theirs = _count_shared(words, wanted, 1)
    return 10 * shared / (theirs * 9 + ours) if ours + theirs else 0.0


def _rouge_l(words: Sequence[str], wanted: Sequence[str]) -> float:
    """Return the share of the longest common subsequence of words."""
    row = [0] * (len(wanted) + 1)
    for word in words:
        before = 0
        for index, other in enumerate(wanted, start=1):
            before, row[index] = row[index], before + 1 if word == other else max(row[index], row[index - 1])
    return 2 * row[-1] / (len(words) + len(wanted))


MEASURES: Mapping[str, Callable[[Sequence[str], Sequence[str]], float]] = {
    "cosine": _cosine,
    "bleu": _bleu,
    "gleu": _gleu,
    "meteor": _meteor,
    **{f"rouge_{size}": _build_rouge(size) for size in range(1, 6)},
    "rouge_l": _rouge_l,
}
