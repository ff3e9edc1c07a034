"""The table of what becomes of a task, over everything that a call can come to."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.model import Effect, Fault, Outcome, State
from connector.pipeline.decisions import CallResult, NextStep, decide

FAULT = (Fault("payload", "missing", "needed"),)
COSTLY = (Effect.RECONCILABLE, Effect.OPAQUE)


@pytest.mark.parametrize(
    ("outcome", "effect", "repeats", "then"),
    [
        (Outcome(State.DONE), Effect.OPAQUE, False, NextStep.FINISH),
        (Outcome(State.NOT_SENT, faults=FAULT), Effect.OPAQUE, True, NextStep.FAIL),
        (Outcome(State.NOT_SENT), Effect.OPAQUE, False, NextStep.REST),
        (Outcome(State.REFUSED, 401, action="pause"), Effect.OPAQUE, False, NextStep.REST),
        (Outcome(State.REFUSED, 429, action="retry"), Effect.OPAQUE, False, NextStep.RETRY),
        (Outcome(State.REFUSED, 503, action="retry"), Effect.RECONCILABLE, False, NextStep.RETRY),
        (Outcome(State.REFUSED, 500, action="fail"), Effect.RECONCILABLE, False, NextStep.LOOK),
        (Outcome(State.REFUSED, 500, action="fail"), Effect.OPAQUE, False, NextStep.FAIL),
        (Outcome(State.REFUSED, 500, action="fail"), Effect.OPAQUE, True, NextStep.RETRY),
        (Outcome(State.REFUSED, 409, action="fail"), Effect.IDEMPOTENT, False, NextStep.RETRY),
        (Outcome(State.REFUSED, 400, action="fail"), Effect.NONE, True, NextStep.FAIL),
        (Outcome(State.UNKNOWN), Effect.NONE, False, NextStep.RETRY),
        (Outcome(State.UNKNOWN), Effect.RECONCILABLE, True, NextStep.LOOK),
        (Outcome(State.UNKNOWN, 502, action="unknown"), Effect.OPAQUE, False, NextStep.HOLD),
        (Outcome(State.UNKNOWN), Effect.OPAQUE, True, NextStep.RETRY),
        (Outcome(State.UNKNOWN, 500, action="retry"), Effect.OPAQUE, False, NextStep.RETRY),
        (Outcome(State.UNKNOWN, 500, action="retry"), Effect.RECONCILABLE, False, NextStep.LOOK),
        (Outcome(State.UNKNOWN, 401, action="pause"), Effect.IDEMPOTENT, False, NextStep.REST),
        (Outcome(State.UNKNOWN, 401, action="pause"), Effect.OPAQUE, False, NextStep.HOLD),
    ],
)
def test_lines_of_the_table(outcome: Outcome, effect: Effect, repeats: bool, then: NextStep) -> None:
    assert decide(CallResult(outcome, effect, repeats)) is then


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
    then = decide(CallResult(outcome, effect, repeats))
    assert (then is NextStep.FINISH) == (outcome.state is State.DONE)
    if outcome.state is State.UNKNOWN and effect in COSTLY:
        asked = repeats or outcome.action == "retry"
        assert then is (NextStep.LOOK if effect is Effect.RECONCILABLE else NextStep.RETRY if asked else NextStep.HOLD)
    if then is NextStep.REST:
        assert outcome.state is State.NOT_SENT or outcome.action == "pause"
    if outcome.state is State.NOT_SENT and not outcome.faults:
        assert then is NextStep.REST
