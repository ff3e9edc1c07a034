"""A bucket gives what flows in, never more over time."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.resilience import TokenBucket


@given(st.floats(1, 10_000), st.lists(st.tuples(st.floats(0, 100), st.floats(0.01, 50)), max_size=40))
def test_no_more_is_taken_than_flows_in(per_minute: float, steps: list[tuple[float, float]]) -> None:
    now = 0.0
    bucket = TokenBucket(per_minute, per_minute, lambda: now)
    taken = 0.0
    for seconds, amount in steps:
        now += seconds
        if bucket.wait_for(amount) == 0:
            taken += min(amount, per_minute)
            bucket.take(min(amount, per_minute))
    assert taken <= per_minute + now * per_minute / 60 + 1e-3


@given(st.floats(1, 10_000), st.floats(0, 20_000), st.floats(0, 20_000))
def test_after_the_wait_there_is_enough(per_minute: float, taken: float, amount: float) -> None:
    now = 0.0
    bucket = TokenBucket(per_minute, per_minute, lambda: now)
    bucket.take(taken)
    now += bucket.wait_for(amount)
    assert bucket.left >= min(amount, per_minute) - 1e-3
    bucket.take(taken)
    now += bucket.wait_for_any()
    assert bucket.left > -1e-3


def test_a_bucket_fills_with_time_and_never_over(clock) -> None:
    bucket = TokenBucket(60, 1, lambda: clock.now)
    clock.now += 1_000_000
    assert bucket.wait_for_any() == 0
    bucket.take(3)
    assert bucket.wait_for_any() == pytest.approx(2, rel=0.01)


def test_what_is_given_back_can_be_taken_again(clock) -> None:
    bucket = TokenBucket(60, 60, lambda: clock.now)
    bucket.take(60)
    assert bucket.wait_for(10) == pytest.approx(10)
    bucket.take(-10)
    assert bucket.wait_for(10) == 0
