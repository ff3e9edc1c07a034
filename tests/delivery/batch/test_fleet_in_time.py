"""Two workers on one PostgreSQL: what each has learned both know, and nothing moves up or is asked for twice."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from connector.delivery.context import DeliveryContext
from connector.delivery.outbox import FileAppender
from connector.delivery.route_spec import implied_routes
from connector.engine import TaskState
from tests.delivery.batch.conftest import Bench
from tests.delivery.batch.test_moving_up import NEEDED, ROUTE, TEXTS, paid, set_pace, single_calls
from tests.engine.conftest import postgres as postgres  # noqa: PLC0414  the fixture
from tests.engine.postgres import Database, PostgreSQL


@pytest.fixture
async def engine(postgres: Database) -> AsyncIterator[PostgreSQL]:
    found = PostgreSQL(await postgres.url())
    yield found
    await found.close()


async def worker(at: Any, engine: PostgreSQL, name: str) -> Bench:
    """Another process over the same tasks."""
    store = await engine.open(name)
    shared = DeliveryContext(at.runtime, store, timing=at.shared.timing, wall=at.clock)
    return Bench(at.sandbox, store, at.runtime, shared, at.clock, at.folder)


async def work(at: Bench) -> int:
    """One turn of a worker: everything that is due and that it gets."""
    tasks = list(await at.store.lease("r", 2))  # some of them, so that others are left to the other worker
    single = await at.delivery("r").pick_single(tasks)
    for task in single:
        await at.store.commit(await at.delivery("r").attempt(task))
    await at.store.commit(await at.delivery("r").carry([task for task in tasks if task not in single]))
    await at.store.commit(await at.delivery("r").carry_rest())
    return len(tasks) + sum([await at.step(name) for name in implied_routes(at.runtime, "r")])


async def live(workers: list[Bench]) -> None:
    at = workers[0]
    for _ in range(3_000):
        if sum(await asyncio.gather(*(work(one) for one in workers))):
            continue
        await FileAppender(at.store).write()
        dues = [await at.store.next_due(name) for name in ("r", *implied_routes(at.runtime, "r"))]
        known = [due for due in dues if due is not None]
        if not known:
            return
        await at.pass_time(max(min(known) - at.clock.now, 0.1))
    raise AssertionError("it never came to an end")


async def test_nothing_moves_up_twice(bench, engine: PostgreSQL, monkeypatch: pytest.MonkeyPatch) -> None:
    at = await bench(route=ROUTE)
    engine.clock = at.clock  # type: ignore[assignment]
    set_pace(at, 1_000.0)
    workers = [await worker(at, engine, name) for name in ("one", "two")]

    def quicken(name: str) -> None:
        if name == "batch.cancel.before":
            set_pace(at, 120.0)

    monkeypatch.setattr("connector.engine.failpoints.reach", quicken)
    began, tasks = at.clock.now, await workers[0].accept(*TEXTS)
    await live(workers)
    assert await workers[1].states() == {TaskState.FINISHED.value: 4}
    assert sorted(at.written()) == sorted(TEXTS)
    cancelled = [one for one in at.sandbox.requests if one["operation"] == "batch cancellations create"]
    made = at.things("batches")
    assert len(made) >= 2, "each worker has gathered some"
    assert len(cancelled) == len(made) == len({one["path"] for one in cancelled})
    assert sum(one.shared.observer.metrics.moved_up.total() for one in workers) == len(made)
    single = await single_calls(workers[0], tasks)
    assert single
    assert sorted([*at.ran(), *single]) == tasks
    assert paid(at) == 4
    assert all([(await workers[0].task(task)).updated <= began + NEEDED for task in tasks])
    known = []
    for one in workers:
        fresh = DeliveryContext(at.runtime, one.store, timing=at.shared.timing, wall=at.clock)
        delivery = Bench(at.sandbox, one.store, at.runtime, fresh, at.clock, at.folder).delivery("r")
        await delivery.pick_single([])
        assert delivery._plan is not None
        ways = {way.name: way.takes.share_within(1_000.0) for way in delivery._plan.ways}
        known.append((ways, delivery._plan._batch.settles.share_within(150.0)))  # type: ignore[union-attr]
        await delivery.close()
    assert known[0] == known[1]
    for one in workers:
        for delivery in one.deliveries.values():
            await delivery.close()
