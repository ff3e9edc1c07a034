"""Work on many at a time keeps its bound and its order, and leaves nothing running."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from typing import Any

import pytest

from connector.aio.bounded_map import map_ordered, map_unordered


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


async def test_results_come_as_they_are_ready_and_no_more_than_the_bound_is_under_way() -> None:
    gates = [asyncio.Event() for _ in range(5)]
    started: list[int] = []

    async def work(number: int) -> int:
        started.append(number)
        await gates[number].wait()
        return number

    async with aclosing(map_unordered(range(5), work, 2)) as found:
        for number in (1, 0, 3, 2, 4):
            first = asyncio.ensure_future(anext(found))
            for _ in range(20):
                await asyncio.sleep(0)
            assert len(started) <= len([gate for gate in gates if gate.is_set()]) + 2
            gates[number].set()
            assert await first == number
        assert [number async for number in found] == []


async def test_nothing_is_fetched_or_started_while_nobody_takes_the_results() -> None:
    fetched: list[int] = []

    async def source() -> Any:
        for number in range(1000):
            fetched.append(number)
            yield number

    async def work(number: int) -> int:
        return number

    async with aclosing(map_ordered(source(), work, 3)) as found:
        assert await anext(found) == 0
        for _ in range(200):
            await asyncio.sleep(0)
        assert len(fetched) <= 3 * 4 + 1


@pytest.mark.parametrize("mapped", [map_ordered, map_unordered])
async def test_an_error_of_the_source_stops_everything(mapped: Any) -> None:
    closed: list[bool] = []

    async def source() -> Any:
        try:
            yield 1
            raise ValueError("the source")
        finally:
            closed.append(True)

    async def work(number: int) -> int:
        await asyncio.Event().wait()
        return number

    async with aclosing(mapped(source(), work, 2)) as found:
        with pytest.raises(ValueError, match="the source"):
            await anext(found)
    assert closed == [True]
    assert len(asyncio.all_tasks()) == 1


async def test_the_error_of_an_item_comes_in_its_turn() -> None:
    async def work(number: int) -> int:
        if number == 2:
            raise ValueError("two")
        for _ in range(10 * (3 - number)):
            await asyncio.sleep(0)
        return number

    async with aclosing(map_ordered(range(4), work, 4)) as results:
        assert [await anext(results), await anext(results)] == [0, 1]
        with pytest.raises(ValueError, match="two"):
            await anext(results)


@pytest.mark.parametrize("mapped", [map_ordered, map_unordered])
async def test_cancelled_it_cancels_what_is_under_way_and_closes_the_source(mapped: Any) -> None:
    ended: list[str] = []

    async def source() -> Any:
        try:
            yield 1
            await asyncio.Event().wait()
        finally:
            ended.append("source")

    async def work(number: int) -> int:
        try:
            await asyncio.Event().wait()
        finally:
            ended.append("work")
        return number

    async def consume() -> None:
        async with aclosing(mapped(source(), work, 2)) as found:
            async for _ in found:
                pass

    task = asyncio.create_task(consume())
    for _ in range(20):
        await asyncio.sleep(0)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert sorted(ended) == ["source", "work"]
    assert len(asyncio.all_tasks()) == 1


@pytest.mark.parametrize("mapped", [map_ordered, map_unordered])
async def test_a_source_without_items_gives_nothing(mapped: Any) -> None:
    async def work(number: int) -> int:
        return number

    assert [number async for number in mapped([], work, 2)] == []
