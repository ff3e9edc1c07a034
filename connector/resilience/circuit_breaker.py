"""A circuit breaker: calls to something that is away are not made, but for a probe now and then."""

from __future__ import annotations

from typing import Generic, TypeVar

from connector.resilience.backoff import Backoff
from connector.timing import Timing

__all__ = ["CircuitBreaker"]

Reason = TypeVar("Reason")


class CircuitBreaker(Generic[Reason]):
    """Closed while calls succeed; open after failures; half open, for one probe, when its delay is over.

    A call enters with a ticket and records with it what it came to. A ticket from before the breaker last opened or
    closed says nothing about the time since, and is ignored.

    Args:
        timing: a clock, and chance for the jitter.
        backoff: the delays until a probe.
        probe_timeout: seconds after which a probe without a result no longer keeps others from probing.
        threshold: failures in a row that open the breaker.
    """

    def __init__(self, timing: Timing, backoff: Backoff, *, probe_timeout: float, threshold: int = 1) -> None:
        self._timing = timing
        self._backoff = backoff
        self._probe_timeout = probe_timeout
        self._threshold = threshold
        self._probe_at = 0.0
        self._trips = 0
        self._failures = 0
        self._generation = 0
        self.reason: Reason | None = None
        """Why the breaker is open; None while it is closed."""

    @property
    def remaining(self) -> float:
        """The seconds until a probe may be made; 0 when a call may be made now."""
        return max(self._probe_at - self._timing.clock(), 0.0) if self.reason is not None else 0.0

    def enter(self) -> int | None:
        """Return a ticket for a call, or None when it must not be made; a probe keeps the others waiting."""
        if self.reason is not None:
            if self.remaining:
                return None
            self._probe_at = self._timing.clock() + self._probe_timeout
        return self._generation

    def cancel(self, ticket: int) -> None:
        """Take back a call that was not made after all."""
        if self.reason is not None and ticket == self._generation:
            self._probe_at = self._timing.clock()

    def record_success(self, ticket: int) -> None:
        """Close the breaker."""
        if ticket == self._generation:
            self._generation += self.reason is not None
            self.reason, self._trips, self._failures = None, 0, 0

    def record_failure(self, reason: Reason, ticket: int) -> None:
        """Count a failure; a failed probe, or one failure too many, opens the breaker."""
        if ticket == self._generation:
            self._failures += 1
            if self.reason is not None or self._failures >= self._threshold:
                self._open(reason)

    def trip(self, reason: Reason, ticket: int | None = None) -> None:
        """Open the breaker at once, for the next caller."""
        if ticket is None or ticket == self._generation:
            self._open(reason)

    def _open(self, reason: Reason) -> None:
        self._generation += 1
        self._trips = self._trips + 1 if self.reason is not None else 0
        self._probe_at = self._timing.clock() + self._backoff.delay(self._trips, self._timing.chance())
        self.reason = reason
