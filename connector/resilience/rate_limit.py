"""A rate limit as a token bucket."""

from __future__ import annotations

from collections.abc import Callable

__all__ = ["TokenBucket"]

SMALLEST = 1e-6
"""Less than this is rounding, and no reason to wait."""


class TokenBucket:
    """A bucket that fills evenly; a caller that overdraws it makes the next ones wait.

    Args:
        per_minute: tokens that flow in each minute.
        burst: tokens that the bucket holds when it is full.
        clock: monotonic seconds.
    """

    def __init__(self, per_minute: float, burst: float, clock: Callable[[], float]) -> None:
        self.per_minute = per_minute
        self._burst = self._left = burst
        self._clock = clock
        self._filled_at = clock()

    @property
    def left(self) -> float:
        """The tokens in the bucket; negative while it is overdrawn."""
        now = self._clock()
        self._left = min(self._burst, self._left + (now - self._filled_at) * self.per_minute / 60)
        self._filled_at = now
        return self._left

    def take(self, amount: float) -> None:
        """Take tokens, more than there are if need be; a negative amount gives tokens back."""
        self._left = self.left - amount

    def wait_for(self, amount: float) -> float:
        """Return the seconds until `amount` tokens, or a full bucket where that is less, are there."""
        missing = min(amount, self._burst) - self.left
        return 0.0 if missing <= SMALLEST else missing * 60 / self.per_minute

    def wait_for_any(self) -> float:
        """Return the seconds until the bucket is no longer empty."""
        left = self.left
        return 0.0 if left > SMALLEST / 1000 else (SMALLEST - left) * 60 / self.per_minute
