"""How long a transport takes on this account: learned from what has ended, and from what is still under way."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

__all__ = ["Durations", "Observation"]

HALF_LIFE = 14 * 86_400.0
"""Seconds after which what was seen counts half."""


@dataclass(frozen=True, slots=True)
class Observation:
    """How long something took, or has taken until now.

    Attributes:
        seconds: how long.
        at: when that was seen, in seconds since 1970.
        ended: whether it came to its end; else it takes longer than this.
    """

    seconds: float
    at: float
    ended: bool = True


class Durations:
    """How likely it is that a transport has answered after a time.

    What is still under way counts as long as it has lasted, and for no end (the estimate of Kaplan and Meier). What was
    seen long ago counts less. Until enough is known, what is assumed counts too.

    Args:
        seen: what was observed.
        now: seconds since 1970.
        assumed: how long it may take, each as likely as the others.
        weight: for how many observations the assumed ones count together.
    """

    def __init__(
        self, seen: Iterable[Observation], now: float, assumed: Sequence[float] = (), weight: float = 4.0
    ) -> None:
        weighed = [(one.seconds, one.ended, 0.5 ** (max(now - one.at, 0.0) / HALF_LIFE)) for one in seen]
        weighed += [(seconds, True, weight / len(assumed)) for seconds in assumed]
        # At the same length, an end comes before what lasts longer.
        weighed.sort(key=lambda each: (each[0], not each[1]))
        left, kept = sum(each[2] for each in weighed), 1.0
        self._steps: list[tuple[float, float]] = []
        """Each length at which something ended, and the share that takes longer."""
        for seconds, ended, counts in weighed:
            if ended and left > 0:
                kept = max(kept * (1.0 - counts / left), 0.0) if left - counts > 1e-12 else 0.0
                self._steps.append((seconds, kept))
            left -= counts

    def share_within(self, seconds: float) -> float:
        """Return the share that has ended after a time."""
        kept = 1.0
        for length, longer in self._steps:
            if length > seconds:
                break
            kept = longer
        return 1.0 - kept

    def quantile(self, share: float, after: float = 0.0) -> float:
        """Return when a share has ended of those that last longer than `after`; infinite if it is unknown."""
        kept = (1.0 - self.share_within(after)) * (1.0 - share)
        return next((length for length, longer in self._steps if longer <= kept + 1e-9 and length >= after), math.inf)
