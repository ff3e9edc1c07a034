"""What is assumed of an account before it is known, and what is kept in hand for the worst of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from connector.delivery.deadlines.choice import Rest
from connector.delivery.deadlines.durations import Durations, Observation

__all__ = ["AHEAD", "BATCH", "CALLS", "CANCELLATIONS", "OUTAGE", "Assumption", "find_room", "rest_of"]

OUTAGE = 5_400.0
"""Seconds for which the API may be away, unless a route says otherwise."""
AHEAD = 600.0
"""Seconds for which calls of the flex tier, which are slow, may keep the places from others."""


@dataclass(frozen=True, slots=True)
class Assumption:
    """How long something is assumed to take.

    Attributes:
        seconds: lengths that are equally likely.
        weight: for how many observations they count together.
    """

    seconds: Sequence[float]
    weight: float

    def learn(self, seen: Iterable[Observation], now: float) -> Durations:
        """Return what is known by now."""
        return Durations(seen, now, self.seconds, self.weight)


CALLS: Mapping[str, Assumption] = {
    "standard": Assumption((2.0, 5.0, 10.0, 20.0, 60.0), 4.0),
    "priority": Assumption((1.0, 2.0, 5.0, 10.0, 45.0), 4.0),
    "flex": Assumption((10.0, 30.0, 120.0, 300.0, 900.0), 4.0),
    "window-2h": Assumption((900.0, 1_800.0, 3_600.0, 5_400.0, 7_200.0), 4.0),
    "window-8h": Assumption((3_600.0, 7_200.0, 14_400.0, 21_600.0, 28_800.0), 4.0),
}
"""Of what is answered one by one; the API says by when a response with a window is made."""
CANCELLATIONS = Assumption((30.0, 60.0, 120.0, 300.0, 600.0), 4.0)
"""The API takes up to ten minutes to cancel a batch."""
BATCH = Assumption((900.0, 1_800.0, 3_600.0, 7_200.0, 14_400.0, 28_800.0, 86_400.0), 4.0)


def find_room(together: int, each: float, ahead: float = AHEAD) -> int:
    """Return how many slow calls may be made or wait for their places, so that others get one soon enough.

    Args:
        together: how many calls are made at a time.
        each: how long one takes.
        ahead: for how many seconds they may keep the places.
    """
    return int(max(ahead, 0.0) / max(each, 1.0)) * together


def rest_of(lines: int, together: int, each: float, spare: float, beside: float = 0.0) -> Rest:
    """Return what must be kept in hand for lines that may all have to go by standard calls at once.

    Args:
        lines: how many are under way.
        together: how many calls are made at a time.
        each: how long one takes.
        spare: seconds for which the API may be away.
        beside: seconds until somebody looks, and until calls before these are made.
    """
    return Rest(queue=lines / max(together, 1) * each + beside, outage=spare)
