"""How fast one client goes, and how everybody on it waits together."""

from __future__ import annotations

import httpx
import pytest

from connector.model import State


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
    assert client._retrier.pacer._limit.value == 3


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
