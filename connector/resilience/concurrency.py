"""How much may be under way at a time: one after trouble, one more with each success."""

from __future__ import annotations

from collections.abc import Callable

from connector.resilience.backoff import Backoff

__all__ = ["AdaptiveConcurrency", "ConcurrencyLimit"]


class ConcurrencyLimit:
    """A limit that falls to one and grows by one, so that a server that is back meets no surge."""

    def __init__(self, most: int) -> None:
        self._most = most
        self.value = most

    def shrink(self) -> None:
        """Allow one at a time from now on."""
        self.value = 1

    def grow(self) -> bool:
        """Allow one more; return whether that is more than before."""
        if self.value >= self._most:
            return False
        self.value += 1
        return True


class AdaptiveConcurrency:
    """A concurrency limit that probes an upstream which is away.

    Args:
        most: the limit while all goes well.
        backoff: the delays between two probes.
        patience: failures in a row that mean that the upstream is away.
        clock: monotonic seconds.
    """

    def __init__(self, most: int, backoff: Backoff, patience: int, clock: Callable[[], float]) -> None:
        self._limit = ConcurrencyLimit(most)
        self._backoff = backoff
        self._patience = patience
        self._clock = clock
        self._failures = 0
        self._probes = 0
        self._probe_at = 0.0

    @property
    def limit(self) -> int:
        """How many may be under way, once `remaining` is over."""
        return self._limit.value

    @property
    def remaining(self) -> float:
        """The seconds until the next probe; 0 when it may be made now."""
        return max(self._probe_at - self._clock(), 0.0) if self._probes else 0.0

    def shrink(self) -> None:
        """Allow one at a time until one succeeds."""
        self._limit.shrink()

    def record_failure(self) -> None:
        """Note one that could not be tried; after too many of them only probes are allowed."""
        self._failures += 1
        if self.remaining or self._failures < self._patience:
            return
        self._probe_at = self._clock() + self._backoff.delay(self._probes)
        self._probes += 1
        self.shrink()

    def record_success(self) -> bool:
        """Note one that was tried; return whether more are allowed because of that."""
        self._failures = self._probes = 0
        return self._limit.grow()
