"""Run asyncio tasks until something ends, without leaving any behind."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from typing import Any

from connector.timing import Timing

__all__ = ["cancel_all", "run_until_first", "wait_for_event"]


async def cancel_all(*tasks: asyncio.Future[Any] | None) -> None:
    """Cancel tasks and wait until all have ended; what they raise is dropped."""
    given = [task for task in tasks if task is not None]
    for task in given:
        task.cancel()
    await asyncio.gather(*given, return_exceptions=True)


async def run_until_first(*works: Awaitable[object]) -> None:
    """Run works side by side until one of them ends, and cancel the others."""
    running = [asyncio.ensure_future(work) for work in works]
    try:
        await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)
    finally:
        await cancel_all(*running)


async def wait_for_event(event: asyncio.Event, seconds: float | None, timing: Timing) -> None:
    """Return when the event is set, or after some seconds; None waits for the event alone."""
    if seconds is None:
        await event.wait()
    elif seconds > 0 and not event.is_set():
        await run_until_first(event.wait(), timing.sleep(seconds))
