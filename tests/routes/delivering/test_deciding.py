"""The table of what becomes of a task, over everything that a call can come to."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.model import Effect, Fault, Outcome, State
from connector.routes.delivering.deciding import Next, Seen, decide

FAULT = (Fault("payload", "missing", "needed"),)
COSTLY = (Effect.RECONCILABLE, Effect.OPAQUE)


@pytest.mark.parametrize(
    ("outcome", "effect", "repeats", "then"),
    [
        (Outcome(State.DONE), Effect.OPAQUE, False, Next.FINISH),
        (Outcome(State.NOT_SENT, faults=FAULT), Effect.OPAQUE, True, Next.FAIL),
        (Outcome(State.NOT_SENT), Effect.OPAQUE, False, Next.REST),
        (Outcome(State.REFUSED, 401, action="pause"), Effect.OPAQUE, False, Next.REST),
        (Outcome(State.REFUSED, 429, action="retry"), Effect.OPAQUE, False, Next.RETRY),
        (Outcome(State.REFUSED, 503, action="retry"), Effect.RECONCILABLE, False, Next.RETRY),
        (Outcome(State.REFUSED, 500, action="fail"), Effect.RECONCILABLE, False, Next.LOOK),
        (Outcome(State.REFUSED, 500, action="fail"), Effect.OPAQUE, False, Next.FAIL),
        (Outcome(State.REFUSED, 500, action="fail"), Effect.OPAQUE, True, Next.RETRY),
        (Outcome(State.REFUSED, 409, action="fail"), Effect.IDEMPOTENT, False, Next.RETRY),
        (Outcome(State.REFUSED, 400, action="fail"), Effect.NONE, True, Next.FAIL),
        (Outcome(State.UNKNOWN), Effect.NONE, False, Next.RETRY),
        (Outcome(State.UNKNOWN), Effect.RECONCILABLE, True, Next.LOOK),
        (Outcome(State.UNKNOWN, 502, action="unknown"), Effect.OPAQUE, False, Next.HOLD),
        (Outcome(State.UNKNOWN), Effect.OPAQUE, True, Next.RETRY),
        (Outcome(State.UNKNOWN, 500, action="retry"), Effect.OPAQUE, False, Next.RETRY),
        (Outcome(State.UNKNOWN, 500, action="retry"), Effect.RECONCILABLE, False, Next.LOOK),
        (Outcome(State.UNKNOWN, 401, action="pause"), Effect.IDEMPOTENT, False, Next.REST),
        (Outcome(State.UNKNOWN, 401, action="pause"), Effect.OPAQUE, False, Next.HOLD),
    ],
)
def test_lines_of_the_table(outcome: Outcome, effect: Effect, repeats: bool, then: Next) -> None:
    assert decide(Seen(outcome, effect, repeats)) is then


outcomes = st.builds(
    Outcome,
    st.sampled_from(State),
    st.sampled_from([None, 200, 400, 401, 403, 404, 408, 409, 413, 422, 429, 500, 502, 503]),
    faults=st.sampled_from([(), FAULT]),
    action=st.sampled_from(["", "retry", "fail", "pause", "unknown", "ignore", "rest"]),
)


@given(outcomes, st.sampled_from(Effect), st.booleans())
def test_nothing_that_may_have_taken_effect_is_sent_again_unasked(
    outcome: Outcome, effect: Effect, repeats: bool
) -> None:
    then = decide(Seen(outcome, effect, repeats))
    assert (then is Next.FINISH) == (outcome.state is State.DONE)
    if outcome.state is State.UNKNOWN and effect in COSTLY:
        asked = repeats or outcome.action == "retry"
        assert then is (Next.LOOK if effect is Effect.RECONCILABLE else Next.RETRY if asked else Next.HOLD)
    if then is Next.REST:
        assert outcome.state is State.NOT_SENT or outcome.action == "pause"
    if outcome.state is State.NOT_SENT and not outcome.faults:
        assert then is Next.REST
