"""A circuit breaker for calls that are passed on: they come by themselves, and their callers cannot resume a client."""

from __future__ import annotations

from connector.errors import CallFailed
from connector.http.tries import Judge, Pause
from connector.resilience import Backoff, CircuitBreaker

__all__ = ["Circuit"]

BETWEEN_TRIALS = 15.0


class Circuit:
    """Lets a trial through now and then while the client is paused; one that is done ends the pause."""

    def __init__(self, judge: Judge) -> None:
        self._judge = judge
        backoff = Backoff(BETWEEN_TRIALS, BETWEEN_TRIALS, jitter=0.0)
        self._breaker = CircuitBreaker[Pause](judge.timing, backoff, probe_timeout=BETWEEN_TRIALS)

    def check(self) -> None:
        """Raise CallFailed while the client is paused, except for a trial every few seconds."""
        pause = self._judge.paused
        if pause is None:
            return
        if pause is not self._breaker.reason:
            self._breaker.trip(pause)
        if self._breaker.enter() is None:
            raise CallFailed(pause.outcome())
