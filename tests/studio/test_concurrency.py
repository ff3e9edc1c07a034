"""Two operators at once, a run that holds the task, a studio that is killed in the middle: what is done is whole."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections import Counter
from collections.abc import AsyncGenerator, Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import httpx
import pytest

from connector.engine import Change, Filter, NewTask, Settlement, Store, TaskState, open_store
from connector.studio import task_actions
from connector.studio.context import StudioContext
from tests.engine.engines import Clock
from tests.studio.kit import TOKENS

Bearer = Callable[[str], httpx.AsyncClient]
MANY = 60


@pytest.fixture
async def runner(source: Path, context: StudioContext, clock: Clock) -> AsyncGenerator[Store]:
    """A run in another process, as far as the store can tell."""
    opened = await open_store(f"sqlite:///{source.with_name('connector.db')}", clock=clock)
    yield opened
    await opened.close()


@pytest.fixture
async def failed(runner: Store) -> list[int]:
    """Many failed tasks of one route."""
    await runner.commit(Change(accept=[NewTask(route="bulk", document={"n": number}) for number in range(MANY)]))
    leased = [task.id for task in await runner.lease("bulk", MANY)]
    ends = [Settlement(task=task, state=TaskState.FAILED, reason="no") for task in leased]
    await runner.commit(Change(settle=ends))
    return leased


async def test_a_task_that_a_run_holds_is_left_to_it(bearer: Bearer, runner: Store) -> None:
    [task] = await runner.lease("orders", 1)
    for action in ("retry", "skip"):
        answer = await bearer("operator").post(f"/api/v1/tasks/{task.id}/{action}", json={})
        assert answer.status_code == 409
        assert answer.json()["detail"].startswith(f"task {task.id} is processing: a run is at work on it; it can be ")
    wish = {"filter": {"ids": [task.id]}, "dry_run": True}
    counted = (await bearer("operator").post("/api/v1/tasks/skip", json=wish)).json()
    assert (counted["count"], counted["left_out"]) == (0, {"processing": 1})


async def test_of_two_operators_each_task_is_retried_by_one(bearer: Bearer, runner: Store, failed: list[int]) -> None:
    wish = {"filter": {"route": ["bulk"], "state": ["failed"]}, "expected": MANY}
    first, second = (bearer("operator"), bearer("editor"))
    answers = await asyncio.gather(*(one.post("/api/v1/tasks/retry", json=wish) for one in (first, second)))
    assert [answer.status_code for answer in answers] == [200, 200]
    assert sum(answer.json()["count"] for answer in answers) == MANY
    assert (await runner.counts("bulk"))["bulk"] == {TaskState.NEW: MANY}


async def test_a_run_that_was_quicker_is_not_undone(bearer: Bearer, runner: Store, failed: list[int]) -> None:
    """What was counted as failed and is under way now keeps its state."""
    await runner.retry(Filter(ids=failed[:10]))
    await runner.lease("bulk", 10)
    wish = {"filter": {"route": ["bulk"]}, "expected": MANY, "reason": "too late"}
    answer = await bearer("operator").post("/api/v1/tasks/skip", json=wish)
    assert answer.json()["count"] == MANY - 10
    assert (await runner.counts("bulk"))["bulk"] == {TaskState.PROCESSING: 10, TaskState.SKIPPED: MANY - 10}


async def test_a_studio_that_is_killed_in_the_middle_leaves_whole_transactions(
    bearer: Bearer, runner: Store, failed: list[int], context: StudioContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(task_actions, "AT_ONCE", 20)
    retry, done = context.store.retry, list[int]()

    async def break_off(wanted: Filter, **more: Any) -> int:
        if done:
            raise SystemError("killed")
        done.append(await retry(wanted, **more))
        return done[0]

    monkeypatch.setattr(context.store, "retry", break_off)
    wish = {"filter": {"route": ["bulk"], "state": ["failed"]}, "expected": MANY}
    operator, key = bearer("operator"), {"idempotency-key": "once"}
    assert (await operator.post("/api/v1/tasks/retry", json=wish, headers=key)).status_code == 500
    monkeypatch.undo()
    tasks = await runner.tasks(Filter(route="bulk"), limit=MANY)
    assert Counter(task.state for task in tasks) == {TaskState.NEW: 20, TaskState.FAILED: MANY - 20}
    assert (await runner.counts("bulk"))["bulk"] == {TaskState.NEW: 20, TaskState.FAILED: MANY - 20}
    again = await operator.post("/api/v1/tasks/retry", json=wish, headers=key)
    assert again.status_code == 409
    assert "cut off" in again.json()["detail"]
    rest = {**wish, "expected": MANY - 20}
    assert (await operator.post("/api/v1/tasks/retry", json=rest)).json()["count"] == MANY - 20
    assert (await runner.counts("bulk"))["bulk"] == {TaskState.NEW: MANY}


async def test_a_studio_that_is_killed_has_done_whole_transactions(source: Path, store: Store, clock: Clock) -> None:
    """SIGKILL, to the process itself, once the first of its transactions shows."""
    many = 10 * task_actions.AT_ONCE
    runner = await open_store(f"sqlite:///{source.with_name('connector.db')}", clock=clock)
    await runner.commit(Change(accept=[NewTask(route="bulk", document={"n": number}) for number in range(many)]))
    leased = await runner.lease("bulk", many)
    ends = [Settlement(task=task.id, state=TaskState.FAILED, reason="no") for task in leased]
    await runner.commit(Change(settle=ends))
    await runner.close()
    command = [sys.executable, "-m", "connector", "studio", "--config", str(source), "--port", "0"]
    with ExitStack() as stack:
        studio = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)  # noqa: ASYNC220  it only starts
        stack.enter_context(studio)
        stack.callback(studio.kill)
        assert studio.stdout
        address = studio.stdout.readline().partition("/#")[0]
        wish = {"filter": {"route": ["bulk"], "state": ["failed"]}, "expected": many}
        headers = {"authorization": f"Bearer {TOKENS['operator']}"}
        async with httpx.AsyncClient(base_url=address, headers=headers, timeout=60) as client:
            asked = asyncio.create_task(client.post("/api/v1/tasks/retry", json=wish))
            while not (await store.counts("bulk"))["bulk"].get(TaskState.NEW):
                assert not asked.done(), (await asked).text
            studio.kill()
            with pytest.raises(httpx.TransportError):
                await asked
    counts = (await store.counts("bulk"))["bulk"]
    found = Counter[TaskState]()
    for state in TaskState:
        found[state] += len(await store.tasks(Filter(route="bulk", states=[state]), limit=many))
    assert counts == {state: tasks for state, tasks in found.items() if tasks}
    assert counts.keys() == {TaskState.NEW, TaskState.FAILED}
    assert counts[TaskState.NEW] % task_actions.AT_ONCE == 0
    assert sum(counts.values()) == many
