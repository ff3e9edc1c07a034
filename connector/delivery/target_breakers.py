"""Whether calls to one target may go out: none while it rests, but one that finds out whether it is back."""

from __future__ import annotations

from dataclasses import dataclass, field

from connector.http.policy import Actor, Pause
from connector.model import Outcome, State
from connector.publishers.intent import BLOCKED
from connector.resilience import Backoff, CircuitBreaker
from connector.timing import SYSTEM, Timing

__all__ = ["RESTING", "TargetBreaker", "TargetBreakers"]

BACKOFF = Backoff(1.0, 60.0)
"""The delays between two probes."""
PATIENCE = 3
"""So many calls in a row that could not be sent mean that nobody is there."""
PROBING = 600.0
"""A probe that has not come back after so many seconds keeps nobody from trying again."""
RESTING = "rest"
"""The action of an outcome that says: not tried, since the target rests."""


class TargetBreaker:
    """The circuit breaker before one target; every route of a process goes through the same one."""

    def __init__(self, timing: Timing = SYSTEM) -> None:
        self._breaker = CircuitBreaker[Pause](timing, BACKOFF, probe_timeout=PROBING, threshold=PATIENCE)

    @property
    def pause(self) -> Pause | None:
        """Why the target rests; None while it does not."""
        return self._breaker.reason

    @property
    def rests(self) -> float:
        """The seconds until a call may be tried."""
        return self._breaker.remaining

    def enter(self) -> int | Outcome:
        """Return a ticket for a call, or why it must not be made; a probe keeps the others waiting."""
        ticket = self._breaker.enter()
        if ticket is None:
            reason = self.pause.reason if self.pause is not None else ""
            return Outcome(State.NOT_SENT, reason=f"not tried: {reason}", action=RESTING)
        return ticket

    def record(self, ticket: int, outcome: Outcome) -> None:
        """Record what a call came to."""
        if outcome.state in (State.REFUSED, State.UNKNOWN) and outcome.action == "pause":
            self._breaker.trip(_pause(outcome, Actor.USER), ticket)
        elif outcome.state is not State.NOT_SENT or outcome.faults:
            self._breaker.record_success(ticket)
        elif outcome.action in ("pause", BLOCKED):
            self._breaker.trip(_pause(outcome, Actor.HERE if outcome.action == BLOCKED else Actor.USER), ticket)
        else:
            self._breaker.record_failure(_pause(outcome, Actor.NETWORK), ticket)

    def cancel(self, ticket: int) -> None:
        """Take back a call that was not made after all."""
        self._breaker.cancel(ticket)


def _pause(outcome: Outcome, who: Actor) -> Pause:
    return Pause(outcome.reason, who, outcome.status)


@dataclass(slots=True)
class TargetBreakers:
    """The breakers by the name of what is behind them."""

    timing: Timing = SYSTEM
    _breakers: dict[str, TargetBreaker] = field(default_factory=dict[str, TargetBreaker])

    def of(self, target: str) -> TargetBreaker:
        """Return the breaker before a target."""
        if target not in self._breakers:
            self._breakers[target] = TargetBreaker(self.timing)
        return self._breakers[target]
