"""A fleet with deaths and outages, in small; `python -m tools.simulate fleet` lives through more and larger ones."""

from __future__ import annotations

import pytest

from tools.simulate.fleet import Fleet, judge, live, report

SIZE, SECONDS = 100, 130


@pytest.mark.parametrize("seed", range(1, 5))
def test_the_limit_is_kept_and_used(seed: int) -> None:
    fleet = live(seed, SIZE, SECONDS)
    assert judge([fleet]) == []
    assert len(fleet.used) == SECONDS


def test_what_is_not_as_promised_is_told() -> None:
    fleet = Fleet(7, flow=10, used=[11] * 100, busy=[True] * 100)
    assert judge([fleet]) == ["fleet 7: 110.00% of the limit was used in a minute"]
    assert "110.00% of the limit" in report([fleet])[1]
    idle = Fleet(8, flow=10, used=[9] * 100, busy=[True] * 100)
    assert judge([idle]) == ["fleet 8: only 90.00% of the limit was used while more waited"]
