"""Calls at a time, and one wait that all of them share."""

from __future__ import annotations

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.resilience import Pacer
from connector.timing import Timing


async def settled() -> None:
    for _ in range(10):
        await asyncio.sleep(0)


async def test_no_more_than_the_limit_at_a_time(clock):
    pacer = Pacer(2, clock.timing)
    tasks = [asyncio.create_task(pacer.acquire()) for _ in range(5)]
    for passed in (2, 3, 4, 5):
        await settled()
        assert sum(task.done() for task in tasks) == passed
        pacer.release()


async def test_a_cancelled_place_in_the_queue_is_given_on(clock):
    pacer = Pacer(1, clock.timing)
    await pacer.acquire()
    second, third = asyncio.create_task(pacer.acquire()), asyncio.create_task(pacer.acquire())
    await settled()
    pacer.release()
    second.cancel()
    await asyncio.wait_for(third, 30)
    pacer.release()
    await asyncio.wait_for(pacer.acquire(), 30)


async def test_a_wait_is_everybodys_and_is_followed_by_a_slow_start(clock):
    pacer = Pacer(100, clock.timing)
    pacer.hold(30)
    tasks = [asyncio.create_task(pacer.acquire()) for _ in range(10)]
    await settled()
    assert clock.now == pytest.approx(1030)
    for passed in (1, 3, 5, 7, 9):
        await settled()
        assert sum(task.done() for task in tasks) == passed
        pacer.speed_up()
        pacer.release()
    await asyncio.gather(*tasks)


async def test_a_longer_wait_outlasts_a_shorter_one(clock):
    pacer = Pacer(5, clock.timing)
    pacer.hold(30)
    pacer.hold(2)
    assert await pacer.acquire() == pytest.approx(30)


async def test_requests_and_tokens_are_spread(clock):
    pacer = Pacer(10, clock.timing, requests=120, tokens=600)
    begun = clock.now
    for _ in range(20):
        await pacer.acquire(tokens=10)
        pacer.correct(10, 20)
        pacer.release()
    assert clock.now - begun == pytest.approx(20 * 20 / 10, rel=0.15)


@given(st.integers(1, 5), st.lists(st.sampled_from(["enter", "leave", "hold", "more"]), max_size=60))
def test_never_more_at_a_time_than_the_limit(concurrency: int, steps: list[str]) -> None:
    async def no_sleep(seconds: float) -> None:
        nonlocal now
        now += seconds
        await asyncio.sleep(0)

    async def run() -> None:
        pacer = Pacer(concurrency, Timing(clock=lambda: now, sleep=no_sleep))
        tasks: list[asyncio.Task[float]] = []
        left = 0
        for step in steps:
            if step == "enter":
                tasks.append(asyncio.create_task(pacer.acquire()))
            elif step == "hold":
                pacer.hold(1)
            elif step == "more":
                pacer.speed_up()
            elif left < sum(task.done() for task in tasks):
                left += 1
                pacer.release()
            await settled()
            assert sum(task.done() for task in tasks) - left <= concurrency
        while left < len(tasks):
            left += 1
            pacer.release()
            await settled()
        await asyncio.gather(*tasks)

    now = 0.0
    asyncio.run(run())
