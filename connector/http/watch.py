"""Who is told of the events of a streamed answer while they come, beside whoever waits for all of them."""

from __future__ import annotations

from collections.abc import Callable, Generator
from contextlib import contextmanager
from contextvars import ContextVar

from connector.model import JSON

__all__ = ["tell_watcher", "watch_events"]

WATCHER: ContextVar[Callable[[JSON], None] | None] = ContextVar("watcher", default=None)


@contextmanager
def watch_events(watcher: Callable[[JSON], None]) -> Generator[None]:
    """Tell of each event of the answers that are read within this block, or in tasks that it starts."""
    before = WATCHER.set(watcher)
    try:
        yield
    finally:
        WATCHER.reset(before)


def tell_watcher(datum: JSON) -> None:
    """Tell of one event, if anybody watches."""
    watcher = WATCHER.get()
    if watcher is not None:
        watcher(datum)
