"""Which transport a task takes, and when it moves up to a faster one: the whole rule, without clocks or stores."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from connector.delivery.deadlines.durations import Durations

__all__ = [
    "MOVED_UP",
    "Choice",
    "Rest",
    "Transport",
    "choose",
    "describe_move",
    "find_reserve",
    "must_move_up",
    "time_needed",
]

MOVED_UP = "moved up"
"""How the reason begins of a task whose batch was cancelled, so that another way asks for its answer."""
SURE = 0.99
"""The share of calls by whose time a transport is counted on."""
WORTH = 0.02
"""Below this chance of an answer in time, nothing is begun that would have to be cancelled."""


@dataclass(frozen=True, slots=True)
class Transport:
    """A way in which a request may go.

    Attributes:
        name: what it is called.
        price: its price as a share of the standard one.
        takes: how long it takes here.
        settles: how long it takes until what was cancelled of it is known to be so; None if it cannot be cancelled.
        may_refuse: whether it has no room at times, so that the request must go another way afterwards.
    """

    name: str
    price: float
    takes: Durations
    settles: Durations | None = None
    may_refuse: bool = False


@dataclass(frozen=True, slots=True)
class Rest:
    """What is kept in hand for standard calls.

    Attributes:
        queue: seconds until all that may have to go by standard calls at once have gone.
        outage: seconds for which the API may be away, as seen here or assumed.
    """

    queue: float = 0.0
    outage: float = 0.0

    @property
    def seconds(self) -> float:
        return self.queue + self.outage


@dataclass(frozen=True, slots=True)
class Choice:
    """The transport that a task takes, and why.

    Attributes:
        needs: the time that it was to fit in; infinite if it is unknown.
        left: the time until the answer is needed.
        late: whether no transport is likely to be there in time.
    """

    transport: Transport
    needs: float
    left: float
    late: bool = False

    @property
    def reason(self) -> str:
        """The choice in words."""
        name, took = self.transport.name, self.transport.takes
        usual = _hours(took.quantile(0.95))
        text = f"{name}: 95 % take {usual} here, needed in {_hours(self.left)}"
        if self.late:
            return f"{text}; nothing is sure to be there in time, and this is the soonest"
        if self.transport.settles is None:
            return text
        return f"{text}; moves up when {_hours(self.needs)} are left"


def choose(transports: Sequence[Transport], left: float, rest: Rest) -> Choice:
    """Return the cheapest transport that will be there in time, of equal ones the soonest.

    More time never makes it a dearer one.

    One that can be cancelled is taken if moving up afterwards is sure to be in time, since what it has not answered by
    then costs nothing; one that cannot, only if it is sure to be there itself.

    Args:
        transports: those that the request may take.
        left: seconds until the answer is needed.
        rest: what is kept in hand.
    """
    fast = find_reserve(transports)
    needs = [(one, time_needed(one, fast, rest)) for one in transports]
    fitting = [(one, need) for one, need in needs if need <= left and _is_worth(one, left - need)]
    if fitting:
        found, need = min(fitting, key=lambda each: (each[0].price, _sure(each[0].takes), each[1]))
        return Choice(found, need, left)
    return Choice(fast, _sure(fast.takes), left, late=True)


def find_reserve(transports: Sequence[Transport]) -> Transport:
    """Return the soonest of those that always have room: what everything else moves up to."""
    steady = [one for one in transports if one.settles is None and not one.may_refuse]
    return min(steady or transports, key=lambda one: (_sure(one.takes), one.price))


def must_move_up(transport: Transport, fast: Transport, left: float, rest: Rest) -> bool:
    """Return whether what is under way must be cancelled now, so that a faster transport is there in time."""
    return transport.settles is not None and left <= time_needed(transport, fast, rest)


def describe_move(at: float, left: float) -> str:
    """Return in words that tasks moved up at a time, and why: so much was left until their answers are needed."""
    when = datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
    return f"{MOVED_UP} at {when}: {_hours(left)} before its answer is needed its batch was not sure to be in time"


def time_needed(one: Transport, fast: Transport, rest: Rest) -> float:
    """Return the least time that must be left when a transport is taken that `fast` is the reserve of."""
    if one.settles is not None:
        return _sure(one.settles) + _sure(fast.takes) + rest.seconds
    if one.may_refuse:
        return _sure(one.takes) + _sure(fast.takes) + rest.seconds
    # What costs less than standard calls is answered later, and an outage before that makes it later still.
    return _sure(one.takes) + (rest.outage if one.price < 1.0 else 0.0)


def _is_worth(one: Transport, spare: float) -> bool:
    return one.settles is None or one.takes.share_within(spare) >= WORTH


def _sure(takes: Durations) -> float:
    return takes.quantile(SURE)


def _hours(seconds: float) -> str:
    if math.isinf(seconds):
        return "longer than is known"
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5_400 else f"{seconds / 3600:.1f} h"
