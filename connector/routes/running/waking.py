"""Waiting for something to happen, or for a time to pass, whichever is first."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable

from connector.timing import Timing

__all__ = ["woken"]


async def woken(event: asyncio.Event, seconds: float | None, timing: Timing) -> None:
    """Returns when the event is set, at the latest after so many seconds."""
    if seconds is None:
        await event.wait()
    elif seconds > 0 and not event.is_set():
        await _first(event.wait(), timing.sleep(seconds))


async def _first(*works: Awaitable[object]) -> None:
    running = [asyncio.ensure_future(work) for work in works]
    try:
        await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for one in running:
            one.cancel()
        await asyncio.gather(*running, return_exceptions=True)
