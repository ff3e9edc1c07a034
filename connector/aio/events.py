"""Wait for an event or a time, whichever comes first."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable

from connector.timing import Timing

__all__ = ["wait_for_event"]


async def wait_for_event(event: asyncio.Event, seconds: float | None, timing: Timing) -> None:
    """Return when the event is set, or after some seconds; None waits for the event alone."""
    if seconds is None:
        await event.wait()
    elif seconds > 0 and not event.is_set():
        await _wait_for_first(event.wait(), timing.sleep(seconds))


async def _wait_for_first(*works: Awaitable[object]) -> None:
    running = [asyncio.ensure_future(work) for work in works]
    try:
        await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for one in running:
            one.cancel()
        await asyncio.gather(*running, return_exceptions=True)
