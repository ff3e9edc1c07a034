"""Open after failures, half open for one probe, closed by a success."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from connector.resilience import Backoff, CircuitBreaker
from connector.timing import Timing


def breaker_of(timing: Timing, threshold: int = 3) -> CircuitBreaker[str]:
    return CircuitBreaker(timing, Backoff(1, 60), probe_timeout=600, threshold=threshold)


def test_failures_in_a_row_open_it(clock) -> None:
    breaker = breaker_of(clock.timing)
    for _ in range(2):
        breaker.record_failure("away", breaker.enter())
    breaker.record_success(breaker.enter())
    for _ in range(3):
        assert breaker.reason is None
        breaker.record_failure("away", breaker.enter())
    assert (breaker.reason, breaker.remaining, breaker.enter()) == ("away", 1, None)


def test_one_probe_at_a_time_finds_out(clock) -> None:
    breaker = breaker_of(clock.timing)
    breaker.trip("away")
    clock.now += 1
    probe = breaker.enter()
    assert probe is not None
    assert breaker.enter() is None
    breaker.cancel(probe)
    probe = breaker.enter()
    breaker.record_failure("still away", probe)
    assert (breaker.reason, breaker.remaining) == ("still away", 2)
    clock.now += 2
    breaker.record_success(breaker.enter())
    assert (breaker.reason, breaker.remaining) == (None, 0)


def test_a_probe_that_does_not_come_back_keeps_nobody_for_ever(clock) -> None:
    breaker = breaker_of(clock.timing)
    breaker.trip("away")
    clock.now += 1
    breaker.enter()
    clock.now += 600
    assert breaker.enter() is not None


def test_a_call_from_before_says_nothing_about_the_time_since(clock) -> None:
    breaker = breaker_of(clock.timing)
    early = breaker.enter()
    breaker.trip("away", breaker.enter())
    breaker.record_success(early)
    breaker.trip("elsewhere", early)
    breaker.record_failure("elsewhere", early)
    breaker.cancel(early)
    assert (breaker.reason, breaker.remaining) == ("away", 1)


@given(st.lists(st.tuples(st.sampled_from(["success", "failure", "trip", "cancel"]), st.floats(0, 700)), max_size=60))
def test_it_is_open_or_closed_and_never_for_ever(steps: list[tuple[str, float]]) -> None:
    now = 0.0
    breaker = breaker_of(Timing(clock=lambda: now, chance=lambda: 0.5))
    for step, seconds in steps:
        now += seconds
        ticket = breaker.enter()
        assert (ticket is None) == (breaker.reason is not None and breaker.remaining > 0 and ticket is None)
        if ticket is None:
            continue
        if step == "success":
            breaker.record_success(ticket)
            assert breaker.reason is None
        elif step == "failure":
            breaker.record_failure("away", ticket)
        elif step == "trip":
            breaker.trip("away", ticket)
            assert breaker.reason == "away"
        else:
            breaker.cancel(ticket)
        assert 0 <= breaker.remaining <= 60
    now += 600
    assert breaker.enter() is not None
