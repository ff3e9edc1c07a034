"""What becomes of a task after a call: a table, read from the top; the first line that fits decides."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from connector.model import JSON, Effect, Outcome, State, members

__all__ = ["SURE", "Next", "Seen", "decide", "may_have_acted"]


SURE = ("retry", "pause")
"""What the error policy says of refusals that did nothing; such as left that open were kept so by older versions."""


class Next(StrEnum):
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
    """End as unknown: it may have taken effect, and nobody can tell."""


@dataclass(frozen=True, slots=True)
class Seen:
    """What a call came to, and what a repeat of it would do.

    Attributes:
        repeats: whether a costly call whose end nobody saw may be sent again.
        target: who was called.
    """

    outcome: Outcome
    effect: Effect
    repeats: bool = False
    target: str = ""

    @property
    def may_repeat(self) -> bool:
        """Whether nobody minds a second time."""
        return self.effect.repeatable or (self.repeats and self.effect is Effect.OPAQUE)

    @property
    def in_trouble(self) -> bool:
        """Whether a refusal tells of the server's state more than of the request."""
        return in_trouble(self.outcome.status)


def in_trouble(status: int | None) -> bool:
    """Whether a server with this answer may have done what it was asked all the same."""
    return status is not None and (status >= 500 or status in (408, 409))


def may_have_acted(state: str, outcome: JSON) -> bool:
    """Whether a call, as it was kept, may have taken effect without being done."""
    kept = members(outcome)
    trouble = state == State.REFUSED and in_trouble(kept.get("status")) and kept.get("action") not in SURE
    return state in ("", State.UNKNOWN) or trouble


def _action(seen: Seen, *actions: str) -> bool:
    return seen.outcome.action in actions


TABLE: tuple[tuple[State, Callable[[Seen], bool], Next], ...] = (
    (State.DONE, lambda _: True, Next.FINISH),
    # the request itself is wrong
    (State.NOT_SENT, lambda seen: bool(seen.outcome.faults), Next.FAIL),
    # the network is away, a client rests, a key is missing
    (State.NOT_SENT, lambda _: True, Next.REST),
    # a key that is not let in, credit that is used up: somebody must act, and no task is to blame
    (State.REFUSED, lambda seen: _action(seen, "pause"), Next.REST),
    # it passes with time, and nothing was done
    (State.REFUSED, lambda seen: _action(seen, "retry"), Next.RETRY),
    (State.REFUSED, lambda seen: seen.in_trouble and seen.effect is Effect.RECONCILABLE, Next.LOOK),
    (State.REFUSED, lambda seen: seen.in_trouble and seen.may_repeat, Next.RETRY),
    (State.REFUSED, lambda _: True, Next.FAIL),
    (State.UNKNOWN, lambda seen: seen.effect is Effect.RECONCILABLE, Next.LOOK),
    (State.UNKNOWN, lambda seen: seen.effect.repeatable and _action(seen, "pause"), Next.REST),
    # a rule, `all_errors` or the server itself says that a second time is better than none
    (State.UNKNOWN, lambda seen: seen.may_repeat or _action(seen, "retry"), Next.RETRY),
    (State.UNKNOWN, lambda _: True, Next.HOLD),
)


def decide(seen: Seen) -> Next:
    """What is done with the task of this call next."""
    return next(then for state, fits, then in TABLE if seen.outcome.state is state and fits(seen))
