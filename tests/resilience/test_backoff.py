"""Delays grow up to a bound, and chance only shortens them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.resilience import Backoff

SECONDS = st.floats(0, 3600)


@given(st.integers(-5, 5000), st.floats(0, 1), st.one_of(st.none(), st.floats(0, 300)))
def test_a_delay_stays_within_its_bounds(retries: int, chance: float, hint: float | None) -> None:
    delay = Backoff(10, 900).delay(retries, chance, hint)
    assert max(7.5, hint or 0) <= delay <= max(900, hint or 0)


@given(SECONDS, SECONDS, st.integers(0, 200))
def test_no_delay_is_shorter_than_the_one_before(first: float, longest: float, retries: int) -> None:
    backoff = Backoff(first, longest)
    assert backoff.delay(retries) <= backoff.delay(retries + 1) <= longest


@given(SECONDS, st.integers(0, 200))
def test_a_factor_of_one_keeps_the_delay(first: float, retries: int) -> None:
    assert Backoff(first, 3600, factor=1).delay(retries) == first


def test_each_delay_doubles_the_last() -> None:
    assert [Backoff(1, 60).delay(retries) for retries in range(8)] == [1, 2, 4, 8, 16, 32, 60, 60]


@pytest.mark.parametrize(("jitter", "delay"), [(0.0, 8), (0.25, 6), (1.0, 0)])
def test_jitter_is_a_share_of_the_delay(jitter: float, delay: float) -> None:
    assert Backoff(8, 8, jitter=jitter).delay(0, chance=1.0) == delay
