"""Waiting in tests, without sleeping."""

from __future__ import annotations

import asyncio
import heapq
import itertools
from collections.abc import Callable

MANY = 2000
"""Turns of the event loop after which whoever is waited for is in another thread."""


async def until(holds: Callable[[], bool]) -> None:
    """Lets others work until something holds: those of this thread at once, after a while those of others too."""
    async with asyncio.timeout(60):
        for turn in itertools.count():
            if holds():
                return
            await asyncio.sleep(0 if turn < MANY else 0.001)


class Simulated:
    """Time that passes only when everybody waits for it, and then at once; for work without threads."""

    def __init__(self) -> None:
        self.now = 1_000_000.0
        self._sleepers: list[tuple[float, int, asyncio.Future[None]]] = []
        self._count = 0

    def __call__(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        wakes: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._count += 1
        heapq.heappush(self._sleepers, (self.now + seconds, self._count, wakes))
        await wakes

    async def passes(self, until: Callable[[], bool]) -> None:
        """Lets time pass until something holds."""
        ready = asyncio.get_running_loop()._ready  # type: ignore[attr-defined]
        while not until():
            for _ in range(30):
                await asyncio.sleep(0)
                if not ready:
                    break  # nobody has anything to do at this time
            if self._sleepers:
                self.now, _, wakes = heapq.heappop(self._sleepers)
                if not wakes.done():
                    wakes.set_result(None)
