"""What becomes of a task after a call: a table, read from the top; the first line that fits decides."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import KW_ONLY, dataclass
from enum import StrEnum

from connector.engine import TaskState
from connector.model import JSON, Effect, Outcome, State, members

__all__ = [
    "SURE",
    "AttemptEnded",
    "CallResult",
    "NextStep",
    "decide",
    "final_state",
    "has_acted",
    "may_have_acted",
    "note_doubtful",
]

SURE = ("retry", "pause")
"""What the error policy says of refusals that did nothing; such as left that open were kept so by older versions."""


class NextStep(StrEnum):
    """What is done with a task next."""

    FINISH = "finish"
    FAIL = "fail"
    REST = "rest"
    """Wait, without this attempt being counted: nothing could be tried."""
    RETRY = "retry"
    """Wait, and try again while there are attempts left."""
    LOOK = "look"
    """Wait, and look first whether it took effect."""
    HOLD = "hold"
    """End as unknown: it may have taken effect, which cannot be known."""


@dataclass(frozen=True, slots=True)
class CallResult:
    """What a call came to, and what a repeat of it would do.

    Attributes:
        repeats: whether a costly call without a known end may be sent again.
        target: who was called.
    """

    outcome: Outcome
    effect: Effect
    repeats: bool = False
    target: str = ""

    @property
    def may_repeat(self) -> bool:
        """Whether a second time does no harm."""
        return self.effect.repeatable or (self.repeats and self.effect is Effect.OPAQUE)

    @property
    def in_trouble(self) -> bool:
        """Whether a refusal tells of the server's state more than of the request."""
        return in_trouble(self.outcome.status)


def in_trouble(status: int | None) -> bool:
    """Return whether a server with this status may have acted all the same."""
    return status is not None and (status >= 500 or status in (408, 409))


def may_have_acted(state: str, outcome: JSON) -> bool:
    """Return whether a call, as it was kept, may have taken effect without being done."""
    kept = members(outcome)
    trouble = state == State.REFUSED and in_trouble(kept.get("status")) and kept.get("action") not in SURE
    return state in ("", State.UNKNOWN) or trouble


def has_acted(outcome: Outcome) -> bool:
    """Return whether a call with this outcome may have taken effect without being done."""
    return may_have_acted(outcome.state, {"status": outcome.status, "action": outcome.action})


def _action(seen: CallResult, *actions: str) -> bool:
    return seen.outcome.action in actions


TABLE: tuple[tuple[State, Callable[[CallResult], bool], NextStep], ...] = (
    (State.DONE, lambda _: True, NextStep.FINISH),
    # the request itself is wrong
    (State.NOT_SENT, lambda seen: bool(seen.outcome.faults), NextStep.FAIL),
    # the network is away, a client rests, a key is missing
    (State.NOT_SENT, lambda _: True, NextStep.REST),
    # a refused key, credit that is used up: a person must act, and no task is to blame
    (State.REFUSED, lambda seen: _action(seen, "pause"), NextStep.REST),
    # it passes with time, and nothing was done
    (State.REFUSED, lambda seen: _action(seen, "retry"), NextStep.RETRY),
    (State.REFUSED, lambda seen: seen.in_trouble and seen.effect is Effect.RECONCILABLE, NextStep.LOOK),
    (State.REFUSED, lambda seen: seen.in_trouble and seen.may_repeat, NextStep.RETRY),
    (State.REFUSED, lambda _: True, NextStep.FAIL),
    (State.UNKNOWN, lambda seen: seen.effect is Effect.RECONCILABLE, NextStep.LOOK),
    (State.UNKNOWN, lambda seen: seen.effect.repeatable and _action(seen, "pause"), NextStep.REST),
    # a rule, `all_errors` or the server itself says that a second time is better than none
    (State.UNKNOWN, lambda seen: seen.may_repeat or _action(seen, "retry"), NextStep.RETRY),
    (State.UNKNOWN, lambda _: True, NextStep.HOLD),
)


def decide(seen: CallResult) -> NextStep:
    """Return what is done with the task of this call next."""
    return next(then for state, fits, then in TABLE if seen.outcome.state is state and fits(seen))


def final_state(seen: CallResult) -> TaskState:
    """Return the end of a task after a call that is not done, when there is no other attempt."""
    if decide(seen) in (NextStep.HOLD, NextStep.LOOK):
        return TaskState.UNKNOWN
    is_open = seen.outcome.state is State.UNKNOWN and seen.effect is not Effect.NONE
    return TaskState.UNKNOWN if is_open else TaskState.FAILED


@dataclass(eq=False)
class AttemptEnded(Exception):
    """An attempt goes no further.

    Attributes:
        state: the state of the task then.
        due: when it is tried again.
        uncounted: whether this attempt does not count, since nothing could be tried.
        seen: the call that led there, if one did.
        who: who must act before it goes on.
        paid: an answer that came, when something after it failed.
    """

    state: TaskState
    reason: str = ""
    _: KW_ONLY
    due: float = 0.0
    uncounted: bool = False
    seen: CallResult | None = None
    who: str = ""
    paid: Outcome | None = None

    def __str__(self) -> str:
        return self.reason


def note_doubtful(ended: AttemptEnded, doubtful: str) -> AttemptEnded:
    """Return the end with calls that may have taken effect: where there are some, nothing has failed."""
    if not doubtful or ended.state is not TaskState.FAILED:
        return ended
    note = f"may have taken effect: {doubtful}; look whether it did before it is sent again"
    reason = f"{ended.reason}; {note}" if ended.reason else note
    return AttemptEnded(TaskState.UNKNOWN, reason, seen=ended.seen, paid=ended.paid)
