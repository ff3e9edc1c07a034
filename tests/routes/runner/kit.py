"""Waiting in tests, without sleeping."""

from __future__ import annotations

import asyncio
from collections.abc import Callable


async def until(holds: Callable[[], bool]) -> None:
    """Lets others work until something holds; five seconds are enough for everything here."""
    async with asyncio.timeout(5):
        while True:
            if holds():
                return
            await asyncio.sleep(0)
