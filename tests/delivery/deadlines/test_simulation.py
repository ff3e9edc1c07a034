"""A month through the rule, in small; `make simulate` lives through more of them."""

from __future__ import annotations

from dataclasses import replace

from tools.simulate.deadlines import Month, judge, live, report


def test_a_month_is_lived_through_in_time_and_for_less() -> None:
    month = live(7_000)
    assert month.tasks > 1_000
    assert month.broken == 0
    assert 0.5 * month.oracle < month.saved <= month.oracle <= 0.5 * month.tasks


def test_a_month_that_breaks_the_promise_is_reported() -> None:
    good = Month(5, 100, 0, 0, 0, 3, 45.0, 50.0)
    assert judge([good]) == []
    assert "seeds [5]" in judge([replace(good, broken=1)])[0]
    assert judge([replace(good, saved=30.0)]) == ["60.0% of what the oracle saves is less than 80%"]
    assert any("90.0%" in line for line in report([good]))


def test_the_other_transports_are_taken_too() -> None:
    month = live(7_002)
    assert month.broken == 0
    assert set(month.taken) - {"batch", "standard"}
    assert 0.5 * month.oracle < month.saved <= month.oracle
