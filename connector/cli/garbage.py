"""How often a process that handles many documents looks for garbage."""

from __future__ import annotations

import gc
from collections.abc import Generator
from contextlib import contextmanager

__all__ = ["seldom_collected"]

AFTER = 20_000
"""So many new objects, a hundred tasks' or so, before unreachable ones are looked for."""


@contextmanager
def seldom_collected() -> Generator[None]:
    """What was made before is never looked through, and what is made meanwhile seldom: a fifth of a run's time."""
    before = gc.get_threshold()
    gc.freeze()
    gc.set_threshold(AFTER, *before[1:])
    try:
        yield
    finally:
        gc.set_threshold(*before)
        gc.unfreeze()
