"""Items are taken while something else is waited for, and no source is left open."""

from __future__ import annotations

import asyncio
import time
from contextlib import aclosing
from typing import Any

import pytest

from connector.aio.streams import Lookahead, iterate_with_deadlines, take_until
from connector.aio.tasks import cancel_all, wait_for_event
from connector.timing import SYSTEM, Timing


async def test_a_stop_ends_a_source_that_gives_nothing() -> None:
    closed: list[bool] = []

    async def silent() -> Any:
        try:
            yield 1
            await asyncio.Event().wait()
        finally:
            closed.append(True)

    stop = asyncio.Event()
    found: list[int] = []
    async with aclosing(take_until(stop, silent())) as documents:
        async for document in documents:
            found.append(document)
            asyncio.get_running_loop().call_soon(stop.set)
    assert (found, closed) == ([1], [True])


async def test_deadlines_pass_while_the_next_item_is_fetched() -> None:
    gate = asyncio.Event()

    async def source() -> Any:
        yield 1
        await gate.wait()
        yield 2

    due: float | None = None
    found: list[Any] = []
    async with aclosing(iterate_with_deadlines(source(), lambda: due)) as items:
        async for item in items:
            found.append(item)
            if item == (1,):
                due = time.monotonic() + 0.001
            elif item is None:
                due = None
                gate.set()
    assert found == [(1,), None, (2,)]


async def test_an_item_is_fetched_once_and_nothing_is_taken_that_was_not() -> None:
    items = Lookahead([1, 2])
    with pytest.raises(RuntimeError, match="nothing was fetched"):
        items.take()
    assert await items.fetch() == (1,)
    assert items.fetch() is items.fetch()
    assert (items.is_ready, items.take()) == (True, (1,))
    await items.fetch()
    assert items.take() == (2,)
    await items.fetch()
    assert (items.take(), items.has_ended) == (None, True)
    await items.close()


async def test_an_event_is_waited_for_as_long_as_the_time_allows() -> None:
    event, slept = asyncio.Event(), []

    async def sleep(seconds: float) -> None:
        slept.append(seconds)

    await wait_for_event(event, 5, Timing(sleep=sleep))
    assert slept == [5]
    await wait_for_event(event, 0, Timing(sleep=sleep))
    event.set()
    await wait_for_event(event, 60, SYSTEM)
    await wait_for_event(event, None, SYSTEM)
    assert len(asyncio.all_tasks()) == 1


async def test_cancelled_tasks_have_ended() -> None:
    ended: list[bool] = []

    async def work() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            await asyncio.sleep(0)
            ended.append(True)
            raise ValueError("dropped")

    task = asyncio.create_task(work())
    await asyncio.sleep(0)
    await cancel_all(task, None)
    assert ended == [True]
