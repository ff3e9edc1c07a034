"""Periods of budgets begin where calendars say, in UTC."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.telemetry.costs import Period, find_period


@pytest.mark.parametrize(
    ("every", "at", "begin", "end"),
    [
        ("hour", "2026-03-29T01:59:59", "2026-03-29T01:00:00", "2026-03-29T02:00:00"),
        ("day", "2026-02-28T23:59:59", "2026-02-28T00:00:00", "2026-03-01T00:00:00"),
        ("week", "2026-11-22T12:00:00", "2026-11-16T00:00:00", "2026-11-23T00:00:00"),
        ("week", "2026-11-23T00:00:00", "2026-11-23T00:00:00", "2026-11-30T00:00:00"),
        ("month", "2024-02-29T00:00:00", "2024-02-01T00:00:00", "2024-03-01T00:00:00"),
        ("month", "2026-12-31T23:00:00", "2026-12-01T00:00:00", "2027-01-01T00:00:00"),
    ],
)
def test_a_period_begins_and_ends(every: Period, at: str, begin: str, end: str) -> None:
    def seconds(text: str) -> float:
        return datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()

    assert find_period(every, seconds(at)) == (seconds(begin), seconds(end))


@given(st.sampled_from(["hour", "day", "week", "month"]), st.floats(0, 4e9))
def test_every_time_is_in_its_period_and_periods_meet(every: Period, at: float) -> None:
    begin, end = find_period(every, at)
    assert begin <= at < end
    assert find_period(every, end)[0] == end
