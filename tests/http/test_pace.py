"""How fast one client goes, and how everybody on it waits together."""

from __future__ import annotations

import asyncio

import httpx
import pytest

from connector.http.pace import Bucket, Pace
from connector.model import State


async def settled() -> None:
    for _ in range(10):
        await asyncio.sleep(0)


async def test_no_more_than_the_limit_at_a_time(clock):
    pace = Pace(2, clock.timing)
    tasks = [asyncio.create_task(pace.enter()) for _ in range(5)]
    for passed in (2, 3, 4, 5):
        await settled()
        assert sum(task.done() for task in tasks) == passed
        pace.leave()


async def test_a_cancelled_place_in_the_queue_is_given_on(clock):
    pace = Pace(1, clock.timing)
    await pace.enter()
    second, third = asyncio.create_task(pace.enter()), asyncio.create_task(pace.enter())
    await settled()
    pace.leave()
    second.cancel()
    await asyncio.wait_for(third, 1)
    pace.leave()
    await asyncio.wait_for(pace.enter(), 1)


async def test_a_wait_is_everybodys_and_is_followed_by_a_slow_start(clock):
    pace = Pace(100, clock.timing)
    pace.hold(30)
    tasks = [asyncio.create_task(pace.enter()) for _ in range(10)]
    await settled()
    assert clock.now == pytest.approx(1030)
    for passed in (1, 3, 5, 7, 9):
        await settled()
        assert sum(task.done() for task in tasks) == passed
        pace.ease()
        pace.leave()
    await asyncio.gather(*tasks)


async def test_a_longer_wait_outlasts_a_shorter_one(clock):
    pace = Pace(5, clock.timing)
    pace.hold(30)
    pace.hold(2)
    assert await pace.enter() == pytest.approx(30)


async def test_one_calls_refusal_makes_the_other_calls_wait(make_client, wire, answers, clock):
    full = httpx.Response(429, json={}, headers={"retry-after": "11"})
    upstream = answers(full, httpx.Response(200, json={}), httpx.Response(200, json={}))
    client = make_client(upstream)
    outcome = await client.send(wire(), retries=0)
    assert outcome.state is State.REFUSED
    outcome = await client.send(wire())
    assert outcome.attempts[0].waited == pytest.approx(11)
    assert (await client.send(wire())).attempts[0].waited == 0


async def test_a_slow_start_ends_with_any_answer_that_does_not_ask_for_less(make_client, wire, answers, clock):
    full = httpx.Response(429, json={}, headers={"retry-after": "1"})
    client = make_client(answers(full, *[httpx.Response(400, json={})] * 3))
    await client.send(wire())
    await client.send(wire())
    assert client._judge.pace._window == 3


async def test_requests_a_minute_are_spread(make_client, wire, clock):
    client = make_client(lambda request: httpx.Response(200, json={}), limits={"requests_per_minute": 120})
    begun = clock.now
    for _ in range(21):
        await client.send(wire())
    assert clock.now - begun == pytest.approx(10, rel=0.15)


async def test_tokens_a_minute_are_corrected_by_usage(make_client, wire, clock):
    def upstream(request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, json={"usage": {"total_tokens": 600}})

    client = make_client(upstream, limits={"tokens_per_minute": 6000})
    begun = clock.now
    for _ in range(6):
        await client.send(wire())
    assert clock.now - begun == pytest.approx(30, rel=0.2)


def test_a_bucket_fills_with_time_and_never_over(clock):
    bucket = Bucket(60, clock.timing)
    clock.now += 1_000_000
    assert bucket.wait() == 0
    bucket.take(3)
    assert bucket.wait() == pytest.approx(2, rel=0.01)
