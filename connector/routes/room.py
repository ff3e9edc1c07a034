"""How many more tasks a route may have; when it has its most, reading waits and nothing is dropped."""

from __future__ import annotations

import asyncio

from connector.engine import LIVE, Store
from connector.http.timing import SYSTEM, Timing
from connector.routes.waking import woken

__all__ = ["Room"]

LOOK_AGAIN = 0.2
"""Seconds after which a queue that was full is looked at again."""


class Room:
    """The bound of one route's queue.

    Args:
        store: where the tasks are kept.
        route: whose tasks.
        most: how many may be under way or waiting.
        stopping: set when what was read is accepted though there is no room, since nobody reads on.
        timing: how to wait.
    """

    def __init__(self, store: Store, route: str, most: int, stopping: asyncio.Event, timing: Timing = SYSTEM) -> None:
        self._store = store
        self._route = route
        self._most = most
        self._stopping = stopping
        self._timing = timing
        self._left = 0

    async def take(self, count: int) -> None:
        """Returns when so many more may be accepted; a group larger than the bound waits for an empty queue."""
        if count > self._left:
            self._left = await self._free()
        while count > self._left < self._most and not self._stopping.is_set():
            await woken(self._stopping, LOOK_AGAIN, self._timing)
            self._left = await self._free()
        self._left -= count

    async def _free(self) -> int:
        counts = (await self._store.counts(self._route)).get(self._route, {})
        return self._most - sum(count for state, count in counts.items() if state in LIVE)
