"""Work on many documents at a time, its results in the order of the documents."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Sequence
from typing import Any, TypeVar

__all__ = ["until", "worked"]

Given = TypeVar("Given")
Made = TypeVar("Made")
AHEAD = 4
"""How many times the concurrency may wait for a slower document before them."""


async def worked(
    source: AsyncIterator[Given], work: Callable[[Given], Awaitable[Made]], concurrency: int
) -> AsyncGenerator[Made, None]:
    """What the work makes of each; while a slow one is waited for, others go on up to a bound."""
    running: deque[asyncio.Task[Made]] = deque()
    progress = asyncio.Event()
    under_way = 0

    async def one(given: Given) -> Made:
        nonlocal under_way
        try:
            return await work(given)
        finally:
            under_way -= 1
            progress.set()

    def asked() -> asyncio.Task[tuple[Given] | None]:
        task = asyncio.ensure_future(_next(source))
        task.add_done_callback(lambda _: progress.set())
        return task

    pending: asyncio.Task[tuple[Given] | None] | None = asked()
    try:
        while running or pending is not None:
            progress.clear()
            while running and running[0].done():
                yield running.popleft().result()
            if (
                pending is not None
                and pending.done()
                and under_way < concurrency
                and len(running) < AHEAD * concurrency
            ):
                found = pending.result()
                pending = None
                if found is not None:
                    under_way += 1
                    running.append(asyncio.ensure_future(one(found[0])))
                    pending = asked()
            elif running or pending is not None:
                await progress.wait()
    finally:
        await _cancelled([*running, pending])


async def until(stop: asyncio.Event, source: AsyncGenerator[Given, None]) -> AsyncGenerator[Given, None]:
    """The source's documents, until it ends or is told to stop; one that is being fetched then is not waited for."""
    stopped = asyncio.ensure_future(stop.wait())
    pending: asyncio.Task[tuple[Given] | None] | None = None
    try:
        while not stop.is_set():
            pending = asyncio.ensure_future(_next(source))
            await asyncio.wait({pending, stopped}, return_when=asyncio.FIRST_COMPLETED)
            if not pending.done() or (found := pending.result()) is None:
                return
            yield found[0]
    finally:
        await _cancelled([stopped, pending])
        await source.aclose()


async def _cancelled(tasks: Sequence[asyncio.Task[Any] | None]) -> None:
    """Ends what is under way, and waits until it has ended."""
    left = [task for task in tasks if task is not None]
    for task in left:
        task.cancel()
    await asyncio.gather(*left, return_exceptions=True)


async def _next(source: AsyncIterator[Given]) -> tuple[Given] | None:
    try:
        return (await anext(source),)
    except StopAsyncIteration:
        return None
