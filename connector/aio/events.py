"""Wait for an event or a time, whichever comes first."""

from __future__ import annotations

import asyncio

from connector.aio.tasks import run_until_first
from connector.timing import Timing

__all__ = ["wait_for_event"]


async def wait_for_event(event: asyncio.Event, seconds: float | None, timing: Timing) -> None:
    """Return when the event is set, or after some seconds; None waits for the event alone."""
    if seconds is None:
        await event.wait()
    elif seconds > 0 and not event.is_set():
        await run_until_first(event.wait(), timing.sleep(seconds))
