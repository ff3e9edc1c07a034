"""How many more tasks a route may have; when it has its most, reading waits and nothing is dropped."""

from __future__ import annotations

import asyncio
from collections.abc import Collection

from connector.aio.events import wait_for_event
from connector.engine import LIVE, Store
from connector.timing import SYSTEM, Timing

__all__ = ["Room"]

LOOK_AGAIN = 5.0
"""Seconds after which a queue that was full is looked at in any case, since others may work on it too."""


class Room:
    """The bound of one route's queue.

    Args:
        store: where the tasks are kept.
        routes: the route, and the one that takes on its documents as they come.
        most: how many may be under way or waiting.
        timing: how to wait.
    """

    def __init__(self, store: Store, routes: Collection[str], most: int, timing: Timing = SYSTEM) -> None:
        self._store = store
        self._routes = routes
        self._most = most
        self._timing = timing
        self._left = 0
        self._wanted = 0
        self._ended = 0
        self._look = asyncio.Event()
        self._opened = False

    def ended(self, count: int) -> None:
        """Says that so many tasks came to an end."""
        self._ended += count
        if self._ended >= self._wanted:
            self._look.set()

    def open(self) -> None:
        """Lets in what comes although there is no room, since nobody reads on."""
        self._opened = True
        self._look.set()

    async def take(self, count: int) -> None:
        """Returns when so many more may be accepted; a group larger than the bound waits for an empty queue."""
        if count > self._left:
            self._left = await self._free()
        while count > self._left < self._most and not self._opened:
            self._wanted, self._ended = count - self._left, 0
            self._look.clear()
            await wait_for_event(self._look, LOOK_AGAIN, self._timing)
            self._left = await self._free()
        self._left -= count

    async def _free(self) -> int:
        counts = [await self._store.counts(route) for route in self._routes]
        states = [one.get(route, {}) for one, route in zip(counts, self._routes, strict=True)]
        return self._most - sum(count for one in states for state, count in one.items() if state in LIVE)
