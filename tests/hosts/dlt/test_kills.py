"""Pipelines that publish rows and are killed, at a few of the points at which `python -m tests.crash` kills them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.crash.loads import LOAD_SCENARIOS, play_loads
from tests.crash.running import Warm
from tests.hosts.dlt.rig import Judge

pytestmark = pytest.mark.long


@pytest.fixture
def warm() -> Iterator[Warm]:
    begun = Warm()
    yield begun
    begun.close()


@pytest.mark.parametrize("name", LOAD_SCENARIOS)
def test_nothing_is_lost_or_paid_for_twice_when_pipelines_are_killed(
    name: str, tmp_path: Path, warm: Warm, judge: Judge
) -> None:
    row = play_loads(name, tmp_path / "killed", warm, judge=judge, times=0)
    assert (row.lost, row.twice, list(row.breaches)) == (0, 0, [])
    assert row.kills >= ("random" not in name)


def test_rows_that_are_forgotten_are_paid_for_twice(tmp_path: Path, warm: Warm, judge: Judge) -> None:
    assert play_loads("dlt loads", tmp_path / "killed", warm, judge=judge, times=0, mistake="rows forgotten").twice
