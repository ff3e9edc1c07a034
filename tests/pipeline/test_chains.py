"""Work on many at a time keeps its bound and its order, and leaves nothing running."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from typing import Any

import pytest

from connector.pipeline.chains import map_ordered, take_until


async def numbers(count: int) -> Any:
    for number in range(count):
        yield number


@pytest.mark.parametrize("concurrency", [1, 2, 7, 100])
async def test_order_and_bound(concurrency: int) -> None:
    under_way = most = 0

    async def work(number: int) -> int:
        nonlocal under_way, most
        under_way += 1
        most = max(most, under_way)
        for _ in range((number * 37) % 11 * 5):
            await asyncio.sleep(0)
        under_way -= 1
        return number

    async with aclosing(map_ordered(numbers(200), work, concurrency)) as found:
        assert [number async for number in found] == list(range(200))
    assert most <= concurrency
    assert concurrency < 3 or most > 2


async def test_a_slow_one_does_not_hold_the_others_up_to_a_bound() -> None:
    gate = asyncio.Event()
    started: list[int] = []

    async def work(number: int) -> int:
        started.append(number)
        if number == 0:
            await gate.wait()
        return number

    async with aclosing(map_ordered(numbers(1000), work, 2)) as found:
        first = asyncio.ensure_future(anext(found))
        for _ in range(200):
            await asyncio.sleep(0)
        assert 2 < len(started) <= 8
        gate.set()
        assert await first == 0


async def test_an_error_and_a_break_stop_what_is_under_way() -> None:
    cancelled: list[int] = []

    async def work(number: int) -> int:
        if number == 3:
            raise ValueError("three")
        try:
            await asyncio.sleep(0 if number < 3 else 60)
        except asyncio.CancelledError:
            cancelled.append(number)
            raise
        return number

    async with aclosing(map_ordered(numbers(100), work, 4)) as found:
        with pytest.raises(ValueError, match="three"):
            [number async for number in found]
    assert len(asyncio.all_tasks()) == 1


async def test_until_ends_a_source_that_gives_nothing() -> None:
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
