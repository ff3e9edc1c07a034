"""When answers are needed, over the changes of the clocks."""

from __future__ import annotations

from datetime import UTC, datetime, time
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.delivery.deadlines.needed import NeededBy

ZONES = ["UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu", "Pacific/Apia"]


def _at(text: str) -> float:
    return datetime.fromisoformat(text).timestamp()


@pytest.mark.parametrize(
    ("arrived", "at", "needed"),
    [
        ("2026-06-01T05:59:00+00:00", time(8), "2026-06-01T06:00:00+00:00"),
        ("2026-06-01T06:00:00+00:00", time(8), "2026-06-02T06:00:00+00:00"),
        # 02:30 is left out on 29 March: the clocks go from 02:00 to 03:00.
        ("2026-03-29T00:10:00+01:00", time(2, 30), "2026-03-29T03:00:00+02:00"),
        # 02:30 comes twice on 25 October.
        ("2026-10-25T00:10:00+02:00", time(2, 30), "2026-10-25T02:30:00+02:00"),
        ("2026-10-25T02:40:00+02:00", time(2, 30), "2026-10-26T02:30:00+01:00"),
    ],
)
def test_the_next_time_of_day(arrived: str, at: time, needed: str) -> None:
    assert NeededBy(at=at, zone="Europe/Berlin").deadline(_at(arrived)) == _at(needed)


def test_a_day_that_a_zone_leaves_out() -> None:
    """Samoa had no 30 December 2011."""
    found = NeededBy(at=time(8), zone="Pacific/Apia").deadline(_at("2011-12-29T12:00:00-10:00"))
    assert found == _at("2011-12-31T00:00:00+14:00")


def test_a_length_of_time() -> None:
    assert NeededBy(within=21_600.0).deadline(1_000.0) == 22_600.0


@given(st.sampled_from(ZONES), st.times(), st.integers(0, 2_000_000_000))
def test_it_always_lies_ahead_and_at_its_time(zone: str, at: time, arrived: int) -> None:
    at = at.replace(microsecond=0, second=0)
    found = NeededBy(at=at, zone=zone).deadline(arrived)
    assert arrived < found <= arrived + 49 * 3_600
    local = datetime.fromtimestamp(found, UTC).astimezone(ZoneInfo(zone))
    if local.time() != at:  # then the clocks change at this moment
        assert datetime.fromtimestamp(found - 1, ZoneInfo(zone)).utcoffset() != local.utcoffset()
