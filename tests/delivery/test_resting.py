"""Upstreams that are away and clients that are paused: tasks wait, none is burned, one finds out that it is over."""

from __future__ import annotations

import asyncio
from itertools import pairwise
from typing import Any

import httpx
import pytest

from connector.engine import Filter, TaskState
from connector.errors import ConfigurationError
from connector.http.policy import Actor

HOURS = 6


def absent(request: httpx.Request) -> httpx.Response:
    raise httpx.ConnectError("no route to host", request=request)


def refusing(status: int, code: str = "") -> Any:
    return lambda _: httpx.Response(status, json={"error": {"message": "no", "code": code}})


def fine(_: httpx.Request) -> httpx.Response:
    return httpx.Response(200, json={"id": "c"})


async def test_six_hours_of_a_dead_upstream_fail_nothing(bench: Any) -> None:
    alive = [False]
    at = await bench(lambda request: fine(request) if alive[0] else absent(request))
    numbers = await at.accept(*({"text": f"t{n}"} for n in range(2)))
    began = at.clock.now
    while at.clock.now - began < HOURS * 3600:
        await at.work()
        due = await at.store.next_due("r")
        assert due is not None
        at.clock.now = max(due, at.clock.now + 1)
    assert await at.states() == {TaskState.WAITING: 2}
    assert len(at.upstream.requests) < 2 + HOURS * 3600 / 40  # one probe at a time, the last ones a minute apart
    alive[0] = True
    await at.until_ended()
    tasks = [await at.task(number) for number in numbers]
    assert {task.state for task in tasks} == {TaskState.FINISHED}
    assert max(task.attempts for task in tasks) == 1


@pytest.mark.parametrize(("status", "code"), [(401, "invalid_api_key"), (403, ""), (429, "insufficient_quota")])
async def test_a_client_that_is_not_let_in_burns_no_task(bench: Any, status: int, code: str) -> None:
    let_in = [False]
    at = await bench(lambda request: fine(request) if let_in[0] else refusing(status, code)(request))
    numbers = await at.accept(*({"text": f"t{n}"} for n in range(50)))
    await at.work()
    assert len(at.upstream.requests) == 1
    delivery = at.delivery()
    assert delivery.paused is not None
    assert delivery.paused.who is Actor.USER
    assert delivery.rests > 0
    assert {(await at.task(number)).attempts for number in numbers} == {0}
    let_in[0] = True
    await at.until_ended()
    assert await at.states() == {TaskState.FINISHED: 50}
    assert at.runtime.client("openai").paused is None
    assert len(at.upstream.requests) == 51


async def test_one_probe_is_out_at_a_time_and_the_waits_grow(bench: Any) -> None:
    at = await bench(refusing(401))
    await at.accept(*({"text": f"t{n}"} for n in range(8)))
    times: list[float] = []
    for _ in range(9):
        sent = len(at.upstream.requests)
        await at.work()
        assert len(at.upstream.requests) == sent + 1
        times.append(at.clock.now)
        at.clock.now = await at.store.next_due("r")
    waits = [round(after - before) for before, after in pairwise(times)]
    assert waits == [1, 2, 4, 8, 16, 32, 60, 60]


async def test_others_wait_while_a_probe_is_out(bench: Any) -> None:
    answer = asyncio.Event()

    class Slow(httpx.AsyncBaseTransport):
        calls = 0

        async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
            Slow.calls += 1
            if Slow.calls > 1:
                await answer.wait()
            return refusing(401)(request) if Slow.calls == 1 else fine(request)

    at = await bench()
    at.runtime.client("openai")._opened_transport = Slow()
    numbers = await at.accept({"text": "a"}, {"text": "b"})
    await at.work()
    at.clock.now = await at.store.next_due("r")
    tasks = await at.store.lease("r", 2)
    assert [task.id for task in tasks] == numbers
    probing = asyncio.ensure_future(at.delivery().attempt(tasks[0]))
    await asyncio.sleep(0)
    [settled] = (await at.delivery().attempt(tasks[1])).settle
    assert (settled.state, settled.uncounted) == (TaskState.WAITING, True)
    answer.set()
    [settled] = (await probing).settle
    assert settled.state is TaskState.FINISHED
    assert at.delivery().paused is None


async def test_a_key_that_is_missing_rests_the_route(bench: Any) -> None:
    at = await bench()
    client = at.runtime.client("openai")

    def credentials(_: Any) -> Any:
        raise ConfigurationError("POST /chat/completions needs a key: set OPENAI_API_KEY or give token")

    find_credentials, client._calls.find_credentials = client._calls.find_credentials, credentials
    [number] = await at.accept({"text": "a"})
    await at.work()
    task = await at.task(number)
    assert (task.state, task.attempts, task.calls) == (TaskState.WAITING, 0, [])
    assert "needs a key" in task.reason
    client._calls.find_credentials = find_credentials
    await at.until_ended()
    assert (await at.task(number)).state is TaskState.FINISHED


async def test_a_client_that_was_paused_elsewhere_rests_the_route_too(bench: Any) -> None:
    at = await bench(refusing(401))
    client = at.runtime.client("openai")
    await client.send(
        client.prepare(
            "chat completions create", {"payload": {"model": "m", "messages": [{"role": "user", "content": "x"}]}}
        )
    )
    assert client.paused
    [number] = await at.accept({"text": "a"})
    await at.work()
    assert (await at.task(number)).state is TaskState.WAITING
    assert len(at.upstream.requests) == 1
    at.upstream.answer = fine
    await at.until_ended()
    assert (await at.task(number)).state is TaskState.FINISHED


async def test_a_budget_that_is_used_up_pauses_until_its_period_ends(bench: Any) -> None:
    at = await bench(route={"budget": {"tokens": 12, "every": "hour"}})
    numbers = await at.accept(*({"text": f"t{n}"} for n in range(4)))
    while tasks := await at.store.lease("r", 1):
        await at.store.commit(await at.delivery().attempt(tasks[0]))
    states = [(await at.task(number)).state for number in numbers]
    assert states == [TaskState.FINISHED] * 2 + [TaskState.WAITING] * 2  # 5 tokens each, so a third would exceed it
    waiting = await at.task(numbers[-1])
    assert "budget" in waiting.reason
    assert (waiting.attempts, waiting.due % 3600) == (0, 0)
    assert at.delivery().paused.who is Actor.USER
    await at.until_ended()
    assert (await at.task(numbers[-1])).state is TaskState.FINISHED


async def test_what_was_used_is_known_after_a_crash_and_a_replay_costs_nothing(bench: Any) -> None:
    at = await bench(
        route={"budget": {"tokens": 12, "every": "hour"}}, out={"answer": {"chain": [{"exception": {"message": "no"}}]}}
    )
    [number] = await at.accept({"text": "a"})
    await at.work()
    await at.crash()
    assert (await at.store.spending("r", 0)).tokens == 5
    await at.store.retry(Filter(ids=[number]))
    await at.work()
    assert (await at.store.spending("r", 0)).tokens == 5


async def test_a_shadow_budget_only_tells(bench: Any, caplog: pytest.LogCaptureFixture) -> None:
    prices = {"gpt-5*": {"input": 1_000_000, "output": 2_000_000}}
    budget = {"amount": 5, "every": "day", "shadow": True}
    at = await bench(route={"budget": budget}, sections={"prices": prices})
    await at.accept(*({"text": f"t{n}"} for n in range(4)))
    await at.work()
    assert await at.states() == {TaskState.FINISHED: 4}
    assert (await at.store.spending("r", 0)).cost == 28.0  # four times 3 in and 2 out
    told = [record.message for record in caplog.records if "budget" in record.message]
    assert len(told) == 1
    assert "shadow" in told[0]
