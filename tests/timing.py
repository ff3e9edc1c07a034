"""Bounds on CPU time that hold on a slow, a busy and a well-filled machine, and that a quadratic algorithm breaks."""

from __future__ import annotations

import gc
import os
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import TypeVar

import pytest

__all__ = ["RUNS", "cpu_seconds", "crowding", "in_proportion", "settled_heap", "slowness", "wait_until", "within"]

T = TypeVar("T")
RUNS = 3
NOMINAL = 0.0032
"""CPU seconds that `_reference` takes on the machine for which bounds are stated."""


def within(seconds: float, run: Callable[[], T]) -> T:
    """Return what `run` returns; fail the test when it takes more CPU time in each of a few runs.

    The bound is that of the nominal machine. Only a run that breaks it is looked at more closely: what other tests left
    in memory is put aside, and the bound grows with how slow the machine is at that moment.
    """
    taken, found = _timed(run)
    if taken <= seconds:
        return found
    told = [f"{taken:.3f} s"]
    with settled_heap():
        for _ in range(RUNS):
            before = slowness()
            taken, found = _timed(run)
            allowed = seconds * max(before, slowness())
            if taken <= allowed:
                return found
            told.append(f"{taken:.3f} s of the {allowed:.3f} s that the machine's speed allows")
    pytest.fail(f"more CPU time than {seconds} s, every time: {', '.join(told)}")


def in_proportion(growth: float, short: Callable[[], object], long: Callable[[], object], *, unnoticed: float) -> bool:
    """Whether `long` takes at most `growth` times as long as `short`, or less than `unnoticed`, once."""

    def once() -> bool:
        return (taken := cpu_seconds(long)) < unnoticed or taken < growth * cpu_seconds(short)

    if once():
        return True
    with settled_heap():
        return any(once() for _ in range(RUNS))


def cpu_seconds(run: Callable[[], object]) -> float:
    """Return how much CPU time of this thread `run` takes."""
    return _timed(run)[0]


def slowness() -> float:
    """Return how many times as long as on the nominal machine pure Python takes now; 1 when it is faster."""
    return max(1.0, min(_timed(_reference)[0] for _ in range(3)) / NOMINAL)


def crowding() -> float:
    """Return how many times as long as alone what runs here takes: the processes for each processor, and at least 1."""
    return max(1.0, os.getloadavg()[0] / (os.cpu_count() or 1))


def wait_until(holds: Callable[[], bool], seconds: float = 60) -> None:
    """Return when it holds; between two looks the processor is for those that bring it about."""
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, f"not within {seconds} s"
        time.sleep(0.01)


@contextmanager
def settled_heap() -> Generator[None]:
    """Keep the garbage collector from walking what was there before: a worker holds much of other tests."""
    kept = gc.get_freeze_count()
    gc.collect()
    gc.freeze()
    try:
        yield
    finally:
        if not kept:  # or what was put aside for all tests would come back
            gc.unfreeze()


def _timed(run: Callable[[], T]) -> tuple[float, T]:
    begun = time.thread_time()
    found = run()
    return time.thread_time() - begun, found


def _reference() -> dict[str, int]:
    """Do what the connector's own code does most: texts, dictionaries, small numbers."""
    total: dict[str, int] = {}
    for number in range(20_000):
        key = str(number % 97)
        total[key] = total.get(key, 0) + len(key) * number
    return total
