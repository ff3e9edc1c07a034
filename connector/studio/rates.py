"""How many tasks of each route end in a minute, from counts that were read one after the other."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping

from connector.delivery.route_spec import parent_of
from connector.engine import ENDS, TaskState

__all__ = ["Rates"]

WINDOW = 60.0
"""Seconds over which a rate is taken."""
SHORTEST = 2.0
"""Seconds below which two counts say nothing of a rate."""

Counts = Mapping[str, Mapping[TaskState, int]]


class Rates:
    """Remembers counts for a minute.

    Args:
        monotonic: seconds that never go back.
    """

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self._monotonic = monotonic
        self._samples: deque[tuple[float, Mapping[str, int]]] = deque()

    def note(self, counts: Counts) -> None:
        """Take up counts that were just read."""
        now, ended = self._monotonic(), dict[str, int]()
        for name, states in counts.items():
            route = parent_of(name)[0]
            ended[route] = ended.get(route, 0) + sum(number for state, number in states.items() if state in ENDS)
        self._samples.append((now, ended))
        while len(self._samples) > 2 and self._samples[1][0] <= now - WINDOW:
            self._samples.popleft()

    def of(self, route: str) -> float | None:
        """Return how many tasks of a route end in a minute; None while that is not known."""
        if len(self._samples) < 2:
            return None
        (first, before), (last, after) = self._samples[0], self._samples[-1]
        if last - first < SHORTEST or self._monotonic() - last > WINDOW:
            return None
        return max(after.get(route, 0) - before.get(route, 0), 0) * 60.0 / (last - first)
