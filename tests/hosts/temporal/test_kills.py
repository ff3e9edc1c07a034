"""A worker that is killed in mid-call, at a few of the points at which `python -m tests.crash` kills it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.crash.running import Warm
from tests.crash.temporal import play_temporal
from tests.hosts.temporal.rig import Server


@pytest.mark.long
def test_nothing_is_lost_or_paid_for_twice_when_workers_are_killed(server: Server, tmp_path: Path) -> None:
    warm = Warm("connector.hosts.temporal.worker", "connector.hosts.temporal.definitions", "temporalio.worker")
    try:
        row = play_temporal("temporal activities", tmp_path / "killed", warm, times=0, server=server)
    finally:
        warm.close()
    assert row.kills >= 3
    assert (row.lost, row.twice, list(row.breaches)) == (0, 0, [])
