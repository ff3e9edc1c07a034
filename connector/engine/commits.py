"""Commits that wait while there is no space, so that whoever works need not know that a disk can be full."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from typing import TypeVar

from connector.engine import Change, CommitResult, Store, StoreFull
from connector.resilience import Backoff
from connector.timing import SYSTEM, Timing

__all__ = ["Commits", "Waits"]

Given = TypeVar("Given")
BACKOFF = Backoff(0.1, 10.0)
"""The delays between two tries while there is no space."""

log = logging.getLogger(__name__)


class Waits:
    """Asks a store again and again while it is full; told once when that begins, and once when it is over."""

    def __init__(self, timing: Timing = SYSTEM) -> None:
        self._timing = timing
        self._told = False

    async def until_done(self, work: Callable[[], Awaitable[Given]]) -> Given:
        """What the work gives; StoreFull alone makes it wait, every other error is raised."""
        retries = 0
        while True:
            try:
                given = await work()
            except StoreFull as full:
                self._tell(f"{full}; nothing is lost, it is tried again until there is space", full=True)
                await self._timing.sleep(BACKOFF.delay(retries))
                retries += 1
            else:
                self._tell("there is space again, the work goes on", full=False)
                return given

    def _tell(self, sentence: str, *, full: bool) -> None:
        if full is not self._told:
            self._told = full
            log.warning(sentence)


class Commits:
    """The way into a store for everything that a run decides.

    Args:
        store: where tasks are kept.
        told: told of each change that was committed, so that nobody has to ask whether there is something new.
        timing: how to wait.
    """

    def __init__(self, store: Store, told: Callable[[Change], None], timing: Timing = SYSTEM) -> None:
        self._store = store
        self._told = told
        self._waits = Waits(timing)

    async def __call__(self, change: Change) -> CommitResult:
        """Does all of a change; waits while there is no space."""
        try:
            committed = await self._store.commit(change)
        except StoreFull:
            committed = await self._waits.until_done(lambda: self._store.commit(change))
        self._told(change)
        return committed
