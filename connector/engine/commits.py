"""Commit to a store whose disk may be full: wait for space, and say so once."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from typing import TypeVar

from connector.engine.change import Change, CommitResult
from connector.engine.store import Store, StoreFull
from connector.resilience import Backoff
from connector.timing import SYSTEM, Timing

__all__ = ["Committer", "SpaceRetry"]

Result = TypeVar("Result")
BACKOFF = Backoff(0.1, 10.0)
"""The delays between two tries while there is no space."""

log = logging.getLogger(__name__)


class SpaceRetry:
    """Retries work on a store while the store is full, and logs once when that begins and once when it ends."""

    def __init__(self, timing: Timing = SYSTEM) -> None:
        self._timing = timing
        self._is_full = False

    async def run(self, work: Callable[[], Awaitable[Result]]) -> Result:
        """Return the result of the work; StoreFull is retried, every other error is raised."""
        retries = 0
        while True:
            try:
                result = await work()
            except StoreFull as full:
                self._log(f"{full}; nothing is lost, it is tried again until there is space", is_full=True)
                await self._timing.sleep(BACKOFF.delay(retries))
                retries += 1
            else:
                self._log("there is space again, the work goes on", is_full=False)
                return result

    def _log(self, sentence: str, *, is_full: bool) -> None:
        if is_full is not self._is_full:
            self._is_full = is_full
            log.warning(sentence)


class Committer:
    """Commits changes to a store and reports each of them.

    Args:
        store: where tasks are kept.
        on_commit: called with each change that was committed.
        timing: how to wait.
    """

    def __init__(self, store: Store, on_commit: Callable[[Change], None], timing: Timing = SYSTEM) -> None:
        self._store = store
        self._on_commit = on_commit
        self._retry = SpaceRetry(timing)

    async def __call__(self, change: Change) -> CommitResult:
        """Commit all of a change, and wait while there is no space."""
        try:
            committed = await self._store.commit(change)
        except StoreFull:
            committed = await self._retry.run(lambda: self._store.commit(change))
        self._on_commit(change)
        return committed
