"""Budgets look ahead: a call that would exceed one is not sent, whatever is under way, and shares of it are told of."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from connector.delivery.budget import SHADOW
from connector.engine import Task, TaskState
from tests.delivery.conftest import Bench, opened

Make = Callable[..., Any]
PRICE = {"prices": {"gpt-5-mini": {"input": 0.0, "output": 1.0, "per": 1}}}
"""A token of an answer costs 1 USD."""


def answering(*received: int) -> Any:
    """Answers of so many tokens, one after the other; the last one for all that follow."""
    calls: list[int] = []

    def answer(_: httpx.Request) -> httpx.Response:
        calls.append(1)
        tokens = received[min(len(calls), len(received)) - 1]
        usage = {"prompt_tokens": 1, "completion_tokens": tokens}
        return httpx.Response(200, json={"id": "c", "choices": [{"message": {"content": "x"}}], "usage": usage})

    return answer


def budget(amount: float, **more: Any) -> dict[str, Any]:
    return {"sections": PRICE, "route": {"budget": {"amount": amount, "every": "day", **more}}}


async def spent(bench: Bench, name: str = "r") -> float:
    return (await bench.store.spending(name, 0.0)).cost


async def work(bench: Bench) -> list[Task]:
    """Attempts everything that is due, one task after the other."""
    done: list[Task] = []
    while tasks := await bench.store.lease("r", 1):
        await bench.store.commit(await bench.delivery().attempt(tasks[0]))
        done.append(await bench.task(tasks[0].id))
    return done


async def test_the_call_that_would_exceed_is_not_sent(bench: Make) -> None:
    at = await bench(answering(3), **budget(10))
    await at.accept(*[{"text": f"{number}"} for number in range(6)])
    tasks = await work(at)
    assert len(at.upstream.posts) == 3
    assert await spent(at) == 9.0
    waiting = [task for task in tasks if task.state is TaskState.WAITING]
    assert len(waiting) == 3
    assert "not enough left of its budget of this day: 12 tokens, 9.00 USD used" in waiting[0].reason
    assert at.delivery().paused is not None


async def test_the_next_period_goes_on(bench: Make) -> None:
    at = await bench(answering(3), **budget(10))
    await at.accept(*[{"text": f"{number}"} for number in range(5)])
    await at.until_ended()
    assert (await at.states())[TaskState.FINISHED] == 5
    assert len(at.upstream.posts) == 5


async def test_a_first_call_is_made_although_its_like_is_not_known(bench: Make) -> None:
    at = await bench(answering(1), **budget(5))  # it is guessed at hundreds
    await at.accept({"text": "a"}, {"text": "b"})
    await work(at)
    assert len(at.upstream.posts) == 2


async def test_a_call_without_a_known_end_keeps_its_share(bench: Make) -> None:
    def cut(request: httpx.Request) -> httpx.Response:
        if len(at.upstream.requests) == 2:
            raise httpx.ReadError("cut", request=request)
        return answering(4)(request)

    at = await bench(cut, **budget(10))
    await at.accept(*[{"text": f"{number}"} for number in range(3)])
    tasks = await work(at)
    assert [task.state for task in tasks] == [TaskState.FINISHED, TaskState.UNKNOWN, TaskState.WAITING]
    assert (await at.store.reserved("r", 0.0)).cost == 4.0
    assert await spent(at) == 4.0


async def test_a_killed_process_leaves_nothing_reserved(bench: Make) -> None:
    at = await bench(answering(4), **budget(100))
    await at.accept({"text": "a"}, {"text": "b"})
    await work(at)
    [task] = await at.accept({"text": "c"})
    await at.cut_off()
    assert (await at.store.reserved("r", 0.0)).cost == 4.0
    await at.until_ended()
    ended = await at.task(task)
    assert ended.state is TaskState.UNKNOWN
    await at.store.confirm(_end(ended))
    await at.until_ended()
    assert (await at.store.reserved("r", 0.0)).cost == 0.0


def _end(task: Any) -> Any:
    from connector.engine import CallEnd

    call = task.calls[-1]
    return CallEnd(task=task.id, attempt=call.attempt, number=call.number, ended=2.0, state="not_sent", outcome={})


async def test_a_shadow_stops_nothing_and_says_what_it_would_have(bench: Make) -> None:
    at = await bench(answering(3), **budget(10, shadow=True))
    await at.accept(*[{"text": f"{number}"} for number in range(6)])
    await work(at)
    assert len(at.upstream.posts) == 6
    assert at.shared.observer.metrics.shadow_stops.total() == 3
    assert await spent(at, SHADOW + "r") == 9.0


async def test_shares_are_told_of_once_each_over_restarts(bench: Make, tmp_path: Path) -> None:
    script = "import sys; open(sys.argv[1], 'a').write(sys.stdin.read() + '\\n')"
    told = tmp_path / "told"
    alarm = {"command": [sys.executable, "-c", script, str(told)]}
    at = await bench(answering(3), **budget(10, warn_at=[0.3, 0.5, 0.95], warn=alarm))
    await at.accept(*[{"text": f"{number}"} for number in range(2)])
    await work(at)
    at = await at.crash()
    await at.accept({"text": "c"})
    await work(at)
    seen = [json.loads(line) for line in told.read_text().splitlines()]
    assert [(one["share"], one["spent"]["amount"]) for one in seen] == [(0.3, 3.0), (0.5, 6.0)]
    assert seen[0]["budget"] == {"amount": 10.0, "tokens": None}


async def test_a_webhook_is_told_through_a_client(bench: Make) -> None:
    told: list[Any] = []

    def answer(request: httpx.Request) -> httpx.Response:
        if request.url.host == "api.example":
            told.append((request.url.path, json.loads(request.content)))
            return httpx.Response(200, json={})
        return answering(6)(request)

    at = await bench(answer, **budget(10, warn_at=[0.5], warn={"client": "api", "path": "/budget"}))
    await at.accept({"text": "a"})
    await work(at)
    assert [(path, said["route"], said["share"]) for path, said in told] == [("/v1/budget", "r", 0.5)]


async def test_whoever_cannot_be_told_stops_nothing(bench: Make, caplog: pytest.LogCaptureFixture) -> None:
    at = await bench(answering(6), **budget(10, warn_at=[0.5], warn={"command": ["/no/such/program"]}))
    await at.accept({"text": "a"})
    [task] = await work(at)
    assert task.state is TaskState.FINISHED
    assert "nobody could be told" in caplog.text


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    lengths=st.lists(st.integers(1, 20), min_size=3, max_size=14),
    amount=st.integers(5, 60),
    together=st.integers(1, 5),
)
async def test_it_is_exceeded_by_no_more_than_the_error_of_calls_under_way(
    tmp_path_factory: pytest.TempPathFactory, lengths: list[int], amount: int, together: int
) -> None:
    folder = tmp_path_factory.mktemp("budget")
    async with opened(folder, answering(*lengths), **budget(amount)) as at:
        await at.accept(*[{"text": f"{number}"} for number in range(len(lengths))])
        over = 0.0
        while tasks := await at.store.lease("r", together):
            before = await spent(at)
            changes = await asyncio.gather(*(at.delivery().attempt(task) for task in tasks))
            held = await at.store.reserved("r", 0.0)
            await asyncio.gather(*(at.store.commit(change) for change in changes))
            used = await spent(at) - before
            over = max(over, used - held.cost)
        assert (await at.store.reserved("r", 0.0)).cost == 0.0
        first = max(lengths)  # nothing is known of the first call
        assert await spent(at) <= amount + max(over, 0.0) + first


async def test_what_nobody_knows_the_end_of_is_not_waited_for(bench: Make) -> None:
    def cut(request: httpx.Request) -> httpx.Response:
        if len(at.upstream.requests) == 2:
            raise httpx.ReadError("cut", request=request)
        return answering(4)(request)

    at = await bench(cut, **budget(10))
    await at.accept(*[{"text": f"{number}"} for number in range(3)])
    tasks = await work(at)
    assert "calls without a known end, which a person can settle, may use" in tasks[-1].reason
    assert tasks[-1].due % 86_400 == 0
    assert at.delivery().paused is not None
