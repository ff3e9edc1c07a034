"""What a run changes about garbage is as it was afterwards, even after an error."""

from __future__ import annotations

import gc

import pytest

from connector.cli.garbage import AFTER, infrequent_collection


def test_garbage_is_looked_for_seldom_until_the_end() -> None:
    before = gc.get_threshold()
    seen: list[int] = []

    def work() -> None:
        with infrequent_collection():
            seen.append(gc.get_threshold()[0])
            raise ValueError("broken off")

    with pytest.raises(ValueError, match="broken off"):
        work()
    assert seen == [AFTER]
    assert gc.get_threshold() == before
    assert gc.get_freeze_count() == 0
