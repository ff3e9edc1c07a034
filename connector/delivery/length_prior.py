"""What is assumed where there is no history, each assumption said in words."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist

from connector.delivery.payload_tokens import Asked
from connector.transform.tokenizer import Counting

__all__ = ["COUNTING_SPREAD", "Lengths", "assume_lengths", "quantiles"]

COUNTING_SPREAD = {Counting.API: 0.01, Counting.EXACT: 0.03, Counting.LIKELY: 0.08, Counting.BYTES: 0.30}
"""How far the tokens that are counted may be off, as the standard deviation of their logarithm."""
USUAL, USUAL_REASONED = 300.0, 1_200.0
"""Tokens of an answer that nothing limits, in the middle; with reasoning more."""
SPREAD = 1.0
"""The standard deviation of the logarithm of an answer's length."""
PART_OF_LIMIT = 0.4
"""How much of an allowed length an answer takes, in the middle."""
PART_IN_SHAPE = 0.4
"""How much of that an answer takes that has to be JSON of a schema."""
WORDLESS = ("embeddings", "moderations", "transcriptions", "speech")
"""Operations whose answers are no tokens of output."""
POINTS = 9
"""How many lengths stand for a distribution."""
NORMAL = NormalDist()


@dataclass(frozen=True, slots=True)
class Lengths:
    """Lengths of answers that stand for a distribution, and why it is this one."""

    tokens: Sequence[float]
    why: str


def quantiles(middle: float, spread: float) -> list[float]:
    """Return lengths that stand for a log-normal distribution; its mean is theirs as well as few can have it."""
    return [middle * math.exp(spread * NORMAL.inv_cdf((place + 0.5) / POINTS)) for place in range(POINTS)]


def assume_lengths(asked: Asked, *, reasons: bool) -> Lengths:
    """Return how long answers to a request are assumed to be.

    Args:
        asked: the request.
        reasons: whether its model reasons before it answers.
    """
    if any(word in asked.operation for word in WORDLESS):
        return Lengths([0.0], "")
    usual = (USUAL_REASONED if reasons else USUAL) * (PART_IN_SHAPE if asked.shaped else 1.0)
    if asked.most is not None:
        middle = min(usual, PART_OF_LIMIT * asked.most)
        found = [min(length, float(asked.most)) for length in quantiles(middle, SPREAD)]
        return Lengths(found, f"answers of {middle:,.0f} tokens in the middle, at most the {asked.most:,} allowed")
    return Lengths(quantiles(usual, SPREAD), f"answers of {usual:,.0f} tokens in the middle, as nothing limits them")
