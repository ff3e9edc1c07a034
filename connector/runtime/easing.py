"""How much a route may have under way while its upstream is away, and when it is back."""

from __future__ import annotations

from collections.abc import Callable

__all__ = ["Easing"]

FIRST, LONGEST = 1.0, 60.0
"""Seconds between two probes."""
PATIENCE = 8
"""So many tasks in a row that could not be tried mean that the upstream is away."""


class Easing:
    """All places while things go well; one that probes while nothing can be tried; then growing again, no surge."""

    def __init__(self, places: int, clock: Callable[[], float]) -> None:
        self._places = places
        self._clock = clock
        self._in_vain = 0
        self._wait = 0.0
        self._probe_at = 0.0
        self.allowed = places
        """How many may be under way, once it does not rest."""

    @property
    def rests(self) -> float:
        """The seconds until one may be tried again; 0 when it may be now."""
        return max(self._probe_at - self._clock(), 0.0) if self._wait else 0.0

    def probe(self) -> None:
        """One at a time from now on, until one was tried."""
        self.allowed = 1

    def in_vain(self) -> None:
        """One could not be tried."""
        self._in_vain += 1
        if self.rests or self._in_vain < PATIENCE:
            return
        self._wait = min(self._wait * 2, LONGEST) or FIRST
        self._probe_at = self._clock() + self._wait
        self.probe()

    def tried(self) -> bool:
        """One was tried, whatever it came to; whether more are allowed because of that."""
        self._in_vain = 0
        self._wait = 0.0
        grows = self.allowed < self._places
        self.allowed += grows
        return grows
