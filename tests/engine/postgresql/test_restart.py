"""The server goes away in the middle: no task is lost by that, and none is done twice."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Generator

import pytest

from connector.engine import Change, Fenced, NewTask, Settlement, StoreError, TaskState, open_store
from connector.engine.postgresql import PostgreSQLStore
from tests.engine.kit import call, counts, end
from tests.engine.postgresql.cluster import Cluster

TASKS = 150


@pytest.fixture(scope="module")
def cluster() -> Generator[Cluster, None, None]:
    made = Cluster()
    made.start()
    yield made
    made.remove()


@pytest.fixture
async def store(cluster: Cluster) -> AsyncGenerator[PostgreSQLStore, None]:
    store = await PostgreSQLStore.open(cluster.url, worker="first", patience=6)
    yield store
    await store.close()


async def test_a_server_that_is_killed_and_restarted_costs_no_task(  # noqa: C901  four roles at once
    cluster: Cluster, store: PostgreSQLStore
) -> None:
    """Accepting, leasing and settling go on through three crashes; what was settled counts once."""
    done: list[int] = []
    under_way: set[int] = set()
    crashes = 0

    async def work() -> None:
        while len(done) < TASKS:
            tasks = await store.lease("route", 5)
            if not tasks:
                await store.wait_for_change(0.05)
            under_way.update(task.id for task in tasks)
            for task in tasks:
                await store.commit(Change(intend=[call(task.id, task.attempts)]))
                change = Change(
                    end=[end(task.id, task.attempts)],
                    settle=[Settlement(task=task.id, state=TaskState.FINISHED)],
                    accept=[NewTask(route="answers", document=task.document, key=str(task.document["n"]))],
                )
                await store.commit(change)
                under_way.discard(task.id)
                done.append(task.document["n"])

    async def beat() -> None:
        while len(done) < TASKS:
            await store.renew_leases(list(under_way))
            await store.wait_for_change(0.2)

    async def feed() -> None:
        for number in range(0, TASKS, 10):
            await store.commit(
                Change(accept=[NewTask(route="route", document={"n": n}) for n in range(number, number + 10)])
            )

    async def crash() -> None:
        nonlocal crashes
        while len(done) < TASKS and crashes < 3:
            before = len(done)
            await asyncio.to_thread(cluster.stop)
            await asyncio.to_thread(cluster.start)
            crashes += 1
            while len(done) < min(before + 20, TASKS):
                await store.wait_for_change(0.05)

    async with asyncio.timeout(120):
        await asyncio.gather(feed(), crash(), beat(), *(work() for _ in range(8)))
    assert crashes == 3
    assert sorted(done) == list(range(TASKS))
    assert await counts(store) == {"finished": TASKS}
    assert await counts(store, "answers") == {"new": TASKS}


async def test_a_worker_that_is_not_heard_of_is_taken_over_and_fenced(cluster: Cluster) -> None:
    first = await PostgreSQLStore.open(cluster.url, worker="slow", patience=0.2)
    second = await PostgreSQLStore.open(cluster.url, worker="quick", patience=0.2)
    await first.commit(Change(accept=[NewTask(route="taken", document=1), NewTask(route="taken", document=2)]))
    mine = [task.id for task in await first.lease("taken", 2)]
    taken: list[int] = []
    async with asyncio.timeout(30):
        while len(taken) < 2:
            taken += [task.id for task in await second.lease("taken", 2)]
            await second.wait_for_change(0.05)
    assert taken == mine
    assert await first.renew_leases(mine) == mine
    with pytest.raises(Fenced):
        await first.commit(Change(settle=[Settlement(task=mine[0], state=TaskState.FINISHED)]))
    await second.commit(Change(settle=[Settlement(task=task, state=TaskState.FINISHED) for task in mine]))
    await first.close()
    await second.close()


async def test_one_heartbeat_keeps_what_another_would_take(cluster: Cluster) -> None:
    first = await PostgreSQLStore.open(cluster.url, worker="alive", patience=2)
    second = await PostgreSQLStore.open(cluster.url, worker="eager", patience=2)
    await first.commit(Change(accept=[NewTask(route="held", document=1)]))
    [task] = await first.lease("held", 1)
    for _ in range(8):
        assert await first.renew_leases([task.id]) == []
        assert await second.lease("held", 1) == []
        await second.wait_for_change(0.3)
    await first.close()
    assert [task.id for task in await second.lease("held", 1)] == [task.id]
    await second.close()


async def test_a_fleet_keeps_to_a_limit(cluster: Cluster) -> None:
    stores = [await PostgreSQLStore.open(cluster.url, worker=f"w{number}") for number in range(3)]
    await stores[0].commit(Change(accept=[NewTask(route="limited", document=n) for n in range(20)]))
    leased = [await store.lease("limited", 10, limit=7) for store in stores]
    assert sum(map(len, leased)) == 7
    await stores[0].commit(
        Change(settle=[Settlement(task=task.id, state=TaskState.FINISHED) for task in leased[0][:3]])
    )
    assert len(await stores[2].lease("limited", 10, limit=7)) == 3
    for store in stores:
        await store.close()


async def test_a_tick_belongs_to_one_of_a_fleet(cluster: Cluster) -> None:
    stores = [await PostgreSQLStore.open(cluster.url, worker=f"w{number}") for number in range(3)]
    claimed = await asyncio.gather(*(store.claim("nightly", "2026-01-01T03:00") for store in stores))
    assert sorted(claimed) == [False, False, True]
    led = [await store.lead("reading", 60) for store in stores]
    assert led == [True, False, False]
    for store in stores:
        await store.close()


@pytest.mark.parametrize("url", ["postgresql://u:hunter2@127.0.0.1:1/x", "postgresql://u:hunter2@/x?host=/nowhere"])
async def test_a_server_that_is_not_there_is_a_sentence_without_the_password(url: str) -> None:
    with pytest.raises(StoreError, match="cannot be used") as caught:
        await open_store(url)
    assert "hunter2" not in str(caught.value)
