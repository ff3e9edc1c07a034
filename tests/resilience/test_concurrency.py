"""The limit falls to one and grows by one; an upstream that is away is probed."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from connector.resilience import AdaptiveConcurrency, Backoff, ConcurrencyLimit


@given(st.integers(1, 50), st.lists(st.booleans(), max_size=200))
def test_a_limit_stays_between_one_and_the_most(most: int, steps: list[bool]) -> None:
    limit = ConcurrencyLimit(most)
    for grows in steps:
        before = limit.value
        if grows:
            assert limit.grow() is (limit.value > before)
            assert limit.value == min(before + 1, most)
        else:
            limit.shrink()
            assert limit.value == 1


@given(st.integers(1, 50), st.lists(st.tuples(st.booleans(), st.floats(0, 100)), max_size=100))
def test_an_upstream_that_is_away_is_probed(most: int, steps: list[tuple[bool, float]]) -> None:
    now, in_a_row = 0.0, 0
    concurrency = AdaptiveConcurrency(most, Backoff(1, 60), 8, lambda: now)
    for succeeds, seconds in steps:
        now += seconds
        if succeeds:
            concurrency.record_success()
            in_a_row = 0
        else:
            concurrency.record_failure()
            in_a_row += 1
        assert 1 <= concurrency.limit <= most
        assert 0 <= concurrency.remaining <= 60
        if in_a_row < 8:
            assert concurrency.remaining == 0
        if in_a_row >= 8:
            assert concurrency.limit == 1


def test_probes_are_further_and_further_apart(clock) -> None:
    concurrency = AdaptiveConcurrency(10, Backoff(1, 60), 2, lambda: clock.now)
    waits = []
    for _ in range(9):
        concurrency.record_failure()
        waits.append(concurrency.remaining)
        clock.now += concurrency.remaining
    assert waits == [0, 1, 2, 4, 8, 16, 32, 60, 60]
    assert concurrency.record_success()
    assert (concurrency.limit, concurrency.remaining) == (2, 0)
