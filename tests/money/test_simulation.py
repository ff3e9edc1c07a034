"""Forecasts held against runs that they have not seen, in small; `make simulate` does it with more of them."""

from __future__ import annotations

from statistics import median

import pytest

from connector.money.forecast.total import Interval
from tools.simulate.forecast import Held, hold, report

SEEDS = range(7_000, 7_030)


@pytest.fixture(scope="module")
def runs() -> list[Held]:
    return [hold(seed) for seed in SEEDS]


def test_forecasts_come_true(runs: list[Held]) -> None:
    assert sum(run.is_covered for run in runs) >= 0.95 * len(runs)
    assert median(run.error for run in runs) < 0.15
    known = [run for run in runs if run.history >= 60]
    assert sum(run.error <= 0.15 for run in known) >= 0.8 * len(known)


def test_little_history_makes_wide_intervals(runs: list[Held]) -> None:
    guesses = [run.p95 / run.p50 for run in runs if run.history == 0]
    sure = [run.p95 / run.p50 for run in runs if run.history >= 150]
    assert median(guesses) > 3 > 1.3 > median(sure) > 1


def test_a_forecast_that_misses_is_reported() -> None:
    runs = [Held(5, 10, 1.0, 2.0, 3.0), Held(5, 10, 1.0, 2.0, 1.1)]
    assert "50.0%" in report(runs)[1]
    assert [run.is_covered for run in runs] == [False, True]


def test_an_interval_lies_among_its_values() -> None:
    found = Interval.of([float(n) for n in range(101)])
    assert (found.p50, found.p95) == (50.0, 95.0)
    assert Interval.of([]) == Interval(0.0, 0.0)
