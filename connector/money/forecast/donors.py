"""Past calls as donors: each lends its answer's length and the rest of its usage to requests that are like its own."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from random import Random
from statistics import fmean

__all__ = ["Donor", "Donors", "Draw"]

HALF_LIFE = 150.0
"""After this many calls a donor counts half as much as the newest."""
NEAR = 0.5
"""Donors whose input differs by this much, in its logarithm, count six tenths as much as equal ones."""
FAR = 0.02
"""What a donor counts at least, however different its input is."""
FEW, ENOUGH = 4, 24
"""Numbers of donors: fewer say nothing of their spread; fewer than enough nothing of a trend."""
PRIOR_WEIGHT, PRIOR_FADES = 2.0, 8.0
"""What an assumption counts beside no donor, and after how many donors it counts half of that."""
HEAVY = 0.3
"""How often a draw takes the tail to be as heavy as the spread of the donors allows, and not as long as was seen."""
LEAST_DRIFT, UNKNOWN_DRIFT, UNKNOWN_LEVEL = 0.02, 0.12, 1.2
"""How far the next answers differ as a whole from the past ones: at least, where nothing shows it, and from an
assumption where there is no past."""
SMALL = 40
"""Up to this many answers are drawn one by one."""


@dataclass(frozen=True, slots=True)
class Donor:
    """What one past call tells.

    Attributes:
        counted: the tokens of its input as they were counted; 0 where nobody could.
        sent: the tokens of its input as they were charged.
        cached: how many of those were cached.
        received: the tokens of its answer.
        extra: what else it cost by tier: searches, audio, images.
        seconds: how long it took; 0 where that is not known.
    """

    counted: float
    sent: float
    cached: float
    received: float
    extra: Sequence[float] = ()
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Draw:
    """One way in which the donors may stand for what comes: a weight for each."""

    weights: Sequence[float]
    heavy: bool
    drift: float
    ratio: float
    """Tokens charged for each that was counted."""
    cached: float
    """The share of the input that is cached."""


class Donors:
    """The donors of one kind of call, the newest first, and what was assumed before there were any.

    Args:
        seen: past calls.
        assumed: lengths of answers that count while there are few.
        spread: how far counted tokens may be off, where no donor shows it.
    """

    def __init__(self, seen: Sequence[Donor], assumed: Sequence[float], spread: float) -> None:
        self._seen = list(seen)
        self._spread = spread
        prior = PRIOR_WEIGHT * PRIOR_FADES / (PRIOR_FADES + len(seen)) / max(len(assumed), 1)
        self._recency = [0.5 ** (place / HALF_LIFE) for place in range(len(seen))]
        self._shapes = self._recency + [prior] * len(assumed)
        self._received = [donor.received for donor in seen] + list(assumed)
        known = [math.log(donor.counted) for donor in seen if donor.counted > 0]
        self._middle = fmean(known) if known else 0.0
        self._log_counted = [math.log(donor.counted) if donor.counted > 0 else self._middle for donor in seen]
        self._slope = self._find_slope()
        self._drift = self._find_drift()

    def __len__(self) -> int:
        return len(self._seen)

    def draw(self, chance: Random) -> Draw:
        """Return one way in which the past may stand for what comes: a Bayesian bootstrap."""
        weights = [chance.gammavariate(shape, 1.0) for shape in self._shapes]
        counted = sent = charged = cached = 0.0
        for weight, donor in zip(weights, self._seen, strict=False):
            charged += weight * donor.sent
            cached += weight * donor.cached
            if donor.counted > 0:
                counted += weight * donor.counted
                sent += weight * donor.sent
        ratio = sent / counted if counted > 0 and sent > 0 else math.exp(chance.gauss(0.0, self._spread))
        return Draw(
            weights,
            heavy=len(self._seen) >= FEW and chance.random() < HEAVY,
            drift=math.exp(chance.gauss(0.0, self._drift)),
            ratio=ratio,
            cached=cached / charged if charged > 0 else 0.0,
        )

    def received(self, draw: Draw, counted: float, number: float, most: float, chance: Random) -> float:
        """Return the tokens of all answers to a number of requests of about one size.

        Args:
            draw: how the donors stand for them.
            counted: the tokens of each request.
            number: how many there are.
            most: how long an answer may be.
        """
        if number <= 0:
            return 0.0
        weights, lengths = self._lend(draw, counted, most)
        whole = sum(weights)
        if whole <= 0:
            return 0.0
        if number <= SMALL and not draw.heavy:
            count = max(1, round(number))
            return sum(chance.choices(lengths, weights, k=count)) * number / count * draw.drift
        mean = sum(map(_times, weights, lengths)) / whole
        variance = max(
            sum(w * length * length for w, length in zip(weights, lengths, strict=True)) / whole - mean**2, 0
        )
        if draw.heavy:
            mean, variance = self._stretch(weights, lengths, most, chance, (mean, variance))
        total = number * mean + math.sqrt(number * variance) * chance.gauss(0.0, 1.0)
        return min(max(total, 0.0) * draw.drift, number * most)

    def others(self, draw: Draw, tier: int) -> float:
        """Return what a call costs beside its tokens of text, on a tier."""
        having = [(weight, donor.extra[tier]) for weight, donor in zip(draw.weights, self._seen, strict=False)
                  if len(donor.extra) > tier]  # fmt: skip
        whole = sum(weight for weight, _ in having)
        return sum(weight * extra for weight, extra in having) / whole if whole else 0.0

    def _lend(self, draw: Draw, counted: float, most: float) -> tuple[list[float], list[float]]:
        """Return the weights and lengths that the donors lend to requests of a size."""
        asked = math.log(counted) if counted > 0 else self._middle
        count = len(self._seen)
        weights, lengths = list(draw.weights), [min(length, most) for length in self._received]
        for place, logarithm in enumerate(self._log_counted):
            away = asked - logarithm
            weights[place] *= FAR + math.exp(-0.5 * (away / NEAR) ** 2)
            if self._slope:
                lengths[place] = min(self._received[place] * math.exp(self._slope * away), most)
        if count and sum(weights[:count]) < FEW * FAR:
            weights[:count] = draw.weights[:count]  # nobody is near: all lend, scaled by the slope
        return weights, lengths

    def _stretch(
        self, weights: Sequence[float], lengths: Sequence[float], most: float, chance: Random, seen: tuple[float, float]
    ) -> tuple[float, float]:
        """Return mean and variance as a log-normal distribution has them whose parameters are not known exactly."""
        pairs = [(w, math.log(length)) for w, length in zip(weights, lengths, strict=True) if length > 0]
        whole = sum(w for w, _ in pairs)
        size = whole**2 / (sum(w * w for w, _ in pairs) or 1.0)
        if whole <= 0 or size < FEW:
            return seen
        middle = sum(w * value for w, value in pairs) / whole
        variance = sum(w * (value - middle) ** 2 for w, value in pairs) / whole
        variance *= size / chance.gammavariate(size / 2, 2.0)
        middle += chance.gauss(0.0, math.sqrt(variance / size))
        top = min(most, 4 * max(lengths))
        mean = min(math.exp(min(middle + variance / 2, 40.0)), top)
        if mean <= seen[0]:
            return seen
        return mean, min(mean**2 * math.expm1(min(variance, 4.0)), mean * top)

    def _find_slope(self) -> float:
        """Return how the logarithm of an answer's length grows with that of its request; 0 where it does not show."""
        pairs = [
            (log, math.log(donor.received), weight)
            for log, donor, weight in zip(self._log_counted, self._seen, self._recency, strict=True)
            if donor.received > 0 and donor.counted > 0
        ]
        if len(pairs) < ENOUGH:
            return 0.0
        whole = math.fsum(weight for _, _, weight in pairs)
        x = sum(w * a for a, _, w in pairs) / whole
        y = sum(w * b for _, b, w in pairs) / whole
        spread = math.fsum(w * (a - x) ** 2 for a, _, w in pairs)
        together = math.fsum(w * (a - x) * (b - y) for a, b, w in pairs)
        residual = math.fsum(w * (b - y) ** 2 for _, b, w in pairs) / whole
        return min(max(together / (spread + residual + 1e-9), 0.0), 1.2)

    def _find_drift(self) -> float:
        """Return how much one stretch of the past differs from the next, beyond what chance does."""
        if len(self._seen) < ENOUGH:
            return UNKNOWN_DRIFT if self._seen else UNKNOWN_LEVEL
        blocks = min(8, len(self._seen) // 12)
        size = len(self._seen) // blocks
        stretches = [[d.received for d in self._seen[n * size : (n + 1) * size]] for n in range(blocks)]
        means = [fmean(stretch) for stretch in stretches]
        if min(means) <= 0:
            return LEAST_DRIFT
        steps = [math.log(after / before) ** 2 / 2 for before, after in zip(means[1:], means[:-1], strict=True)]
        noise = [
            fmean((value - mean) ** 2 for value in stretch) / mean**2 / len(stretch)
            for stretch, mean in zip(stretches, means, strict=True)
        ]
        beyond = fmean(steps) - fmean(noise)
        unsure = fmean(noise) / math.sqrt(blocks)
        return math.sqrt(max(beyond + 0.5 * unsure, LEAST_DRIFT**2))


def _times(one: float, other: float) -> float:
    return one * other
