"""Work on many items at a time, up to a bound, with the results in the order of the items or as they come."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterable, Awaitable, Callable, Iterable
from typing import TypeVar

from connector.aio.streams import Lookahead
from connector.aio.tasks import cancel_all

__all__ = ["map_ordered", "map_unordered"]

Item = TypeVar("Item")
Result = TypeVar("Result")
AHEAD = 4
"""How many times the concurrency may have been started and wait for a slower item before them."""


def map_ordered(
    source: AsyncIterable[Item] | Iterable[Item],
    work: Callable[[Item], Awaitable[Result]],
    concurrency: int,
    *,
    ahead: int = AHEAD,
) -> AsyncGenerator[Result, None]:
    """Yield the results in the order of the items; while a slow item is waited for, others go on up to a bound.

    The first error, of the source or of the work, is raised when its turn comes. Closing the generator cancels what
    is under way and waits for it.

    Args:
        source: gives the items; it is closed at the end.
        work: makes a result of an item.
        concurrency: how many items are under way at most.
        ahead: how many times the concurrency may have been started without being yielded.
    """
    return _map(source, work, concurrency, window=ahead * concurrency, is_ordered=True)


def map_unordered(
    source: AsyncIterable[Item] | Iterable[Item], work: Callable[[Item], Awaitable[Result]], concurrency: int
) -> AsyncGenerator[Result, None]:
    """Yield the results as they come.

    The first error, of the source or of the work, is raised. Closing the generator cancels what is under way and waits
    for it.

    Args:
        source: gives the items; it is closed at the end.
        work: makes a result of an item.
        concurrency: how many items are under way at most.
    """
    return _map(source, work, concurrency, window=concurrency, is_ordered=False)


async def _map(
    source: AsyncIterable[Item] | Iterable[Item],
    work: Callable[[Item], Awaitable[Result]],
    concurrency: int,
    *,
    window: int,
    is_ordered: bool,
) -> AsyncGenerator[Result, None]:
    progress = asyncio.Event()
    items = Lookahead(source, progress.set)
    started: set[asyncio.Future[Result]] = set()
    queue: deque[asyncio.Future[Result]] = deque()
    """What was started, in the order in which it is yielded."""
    running = 0

    def start(item: Item) -> None:
        nonlocal running
        running += 1
        task = asyncio.ensure_future(work(item))
        started.add(task)
        if is_ordered:
            queue.append(task)
        task.add_done_callback(finish)

    def finish(task: asyncio.Future[Result]) -> None:
        nonlocal running
        running -= 1
        if not is_ordered:
            queue.append(task)
        progress.set()

    try:
        items.fetch()
        while started or not items.has_ended:
            progress.clear()
            while queue and queue[0].done():
                task = queue.popleft()
                started.discard(task)
                yield task.result()
            if items.is_ready and running < concurrency and len(started) < window:
                found = items.take()
                if found is not None:
                    start(found[0])
                    items.fetch()
            elif started or not items.has_ended:
                await progress.wait()
    finally:
        await cancel_all(*started)
        await items.close()
