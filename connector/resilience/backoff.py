"""Exponential back-off with jitter."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Backoff"]

MOST_DOUBLINGS = 60


@dataclass(frozen=True, slots=True)
class Backoff:
    """Delays that grow by a factor with each retry.

    Args:
        first: seconds before the first retry.
        longest: seconds that no delay exceeds.
        factor: growth from one delay to the next; 1 keeps them alike.
        jitter: share of a delay that chance may take away, so that many callers do not come back at once.
    """

    first: float
    longest: float
    factor: float = 2.0
    jitter: float = 0.25

    def delay(self, retries: int, chance: float = 0.0, hint: float | None = None) -> float:
        """Return the seconds before the next retry.

        Args:
            retries: retries made so far.
            chance: a number between 0 and 1, for the jitter.
            hint: seconds that a server asks for; a longer hint wins.
        """
        delay = min(self.first * self.factor ** min(max(retries, 0), MOST_DOUBLINGS), self.longest)
        return max(delay * (1 - self.jitter * chance), hint or 0.0)
