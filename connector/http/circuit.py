"""While a client is paused one call now and then finds out whether somebody has acted; the others are told why not."""

from __future__ import annotations

from connector.errors import CallFailed
from connector.http.tries import Judge, Pause

__all__ = ["Circuit"]

BETWEEN_TRIALS = 15.0


class Circuit:
    """What stands before the calls that are passed on, which come by themselves and whose callers cannot resume."""

    def __init__(self, judge: Judge) -> None:
        self._judge = judge
        self._known: Pause | None = None
        self._next_trial = 0.0

    def check(self) -> None:
        """CallFailed while the client is paused, except for a trial every few seconds; one that is done ends it."""
        pause = self._judge.paused
        if pause is None:
            return
        now = self._judge.timing.clock()
        if pause is not self._known:
            self._known, self._next_trial = pause, now + BETWEEN_TRIALS
        if now < self._next_trial:
            raise CallFailed(pause.outcome())
        self._next_trial = now + BETWEEN_TRIALS
