"""Bounds on CPU time are broken by what is slow, and by nothing else."""

from __future__ import annotations

import gc
from contextlib import nullcontext

import pytest

from tests import timing
from tests.timing import RUNS, cpu_seconds, in_proportion, settled_heap, within


@pytest.fixture(autouse=True)
def light(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a worker holds in memory takes long to put aside; these tests make little of their own."""
    monkeypatch.setattr(timing, "settled_heap", nullcontext)


def quadratic(size: int) -> int:
    text = "a" * size
    return sum(text[at:].count("b") for at in range(0, size, 10))


def test_what_is_in_time_is_run_once() -> None:
    runs: list[int] = []
    assert within(1, lambda: runs.append(1) or "found") == "found"
    assert runs == [1]


def test_what_became_quadratic_is_found() -> None:
    enough = 4 * cpu_seconds(lambda: quadratic(5_000))
    with pytest.raises(pytest.fail.Exception, match=r"more CPU time than .* every time"):
        within(enough, lambda: quadratic(40_000))


@pytest.mark.parametrize("slow", range(RUNS + 1))
def test_one_run_in_time_is_enough(slow: int) -> None:
    sizes = [*[20_000] * slow, 100]
    within(4 * cpu_seconds(lambda: quadratic(2_000)), lambda: quadratic(sizes.pop(0)))
    assert sizes == []


def test_a_machine_that_is_slow_has_more_time(monkeypatch: pytest.MonkeyPatch) -> None:
    bound = cpu_seconds(lambda: quadratic(20_000)) / 4
    monkeypatch.setattr(timing, "NOMINAL", timing.NOMINAL / 100)
    within(bound, lambda: quadratic(20_000))


def test_a_longer_text_is_more_than_its_share_of_work_for_a_quadratic_algorithm() -> None:
    assert not in_proportion(9, lambda: quadratic(10_000), lambda: quadratic(80_000), unnoticed=0.001)
    assert in_proportion(9, lambda: quadratic(20_000), lambda: quadratic(40_000), unnoticed=0.001)
    assert in_proportion(9, lambda: quadratic(10_000), lambda: quadratic(80_000), unnoticed=60)


def test_others_memory_is_put_aside_only_when_a_bound_is_broken(monkeypatch: pytest.MonkeyPatch) -> None:
    settled: list[int] = []
    monkeypatch.setattr(timing, "settled_heap", lambda: nullcontext(settled.append(1)))
    within(60, lambda: quadratic(1_000))
    assert settled == []
    with pytest.raises(pytest.fail.Exception):
        within(0, lambda: quadratic(1_000))
    assert settled == [1]


@pytest.mark.parametrize("kept", [True, False])
def test_what_others_left_in_memory_is_put_aside(kept: bool) -> None:
    before = gc.get_freeze_count()
    gc.unfreeze()
    if kept:
        gc.freeze()
    with settled_heap():
        assert gc.get_freeze_count() > 1000
    assert (gc.get_freeze_count() > 0) is kept
    if before:
        gc.freeze()
