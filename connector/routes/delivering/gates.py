"""Whether calls to one target may go out: none while it rests, but one that finds out whether it is back."""

from __future__ import annotations

from dataclasses import dataclass, field

from connector.http.rules import Who
from connector.http.tries import Pause
from connector.model import Outcome, State
from connector.publishers.intent import BLOCKED
from connector.timing import SYSTEM, Timing

__all__ = ["RESTING", "Gate", "Gates"]

FIRST, LONGEST = 1.0, 60.0
"""Seconds until the first probe, and at most between two of them."""
PATIENCE = 3
"""So many calls in a row that could not be sent mean that nobody is there."""
PROBING = 600.0
"""A probe that has not come back after so many seconds keeps nobody from trying again."""
RESTING = "rest"
"""The action of an outcome that says: not tried, since the target rests."""


@dataclass(slots=True)
class Gate:
    """The gate before one target; every route of a process goes through the same one."""

    timing: Timing = SYSTEM
    pause: Pause | None = None
    _until: float = 0.0
    _wait: float = 0.0
    _generation: int = 0
    _in_vain: int = 0

    @property
    def rests(self) -> float:
        """The seconds until somebody may try; 0 when one may now."""
        return max(self._until - self.timing.clock(), 0.0) if self.pause else 0.0

    def enter(self) -> int | Outcome:
        """A pass, or why there is none; the pass of a probe keeps the others waiting."""
        if self.pause is None:
            return self._generation
        if self.rests:
            return Outcome(State.NOT_SENT, reason=f"not tried: {self.pause.reason}", action=RESTING)
        self._until = self.timing.clock() + PROBING
        return self._generation

    def leave(self, entered: int, outcome: Outcome) -> None:
        """Says what a call came to; what began before the gate closed tells nothing of the time since."""
        if entered != self._generation:
            return
        if outcome.state in (State.REFUSED, State.UNKNOWN) and outcome.action == "pause":
            self._close(outcome, Who.USER)
        elif outcome.state is not State.NOT_SENT or outcome.faults:
            self._open()
        elif outcome.action in ("pause", BLOCKED):
            self._close(outcome, Who.HERE if outcome.action == BLOCKED else Who.USER)
        else:
            self._in_vain += 1
            if self.pause or self._in_vain >= PATIENCE:
                self._close(outcome, Who.NETWORK)

    def give_back(self, entered: int) -> None:
        """The call was not made after all."""
        if self.pause is not None and entered == self._generation:
            self._until = self.timing.clock()

    def _close(self, outcome: Outcome, who: Who) -> None:
        self._generation += 1
        self._wait = min(self._wait * 2, LONGEST) if self.pause else FIRST
        self._until = self.timing.clock() + self._wait * (1 - 0.25 * self.timing.chance())
        self.pause = Pause(outcome.reason, who, outcome.status)

    def _open(self) -> None:
        if self.pause is not None:
            self._generation += 1
        self.pause, self._wait, self._in_vain = None, 0.0, 0


@dataclass(slots=True)
class Gates:
    """The gates by the name of what is behind them."""

    timing: Timing = SYSTEM
    _gates: dict[str, Gate] = field(default_factory=dict[str, Gate])

    def of(self, target: str) -> Gate:
        """The gate before a target."""
        if target not in self._gates:
            self._gates[target] = Gate(self.timing)
        return self._gates[target]
