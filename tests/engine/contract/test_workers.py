"""Workers that come and go: nothing is lost with one, and one that was taken over can do no more harm."""

from __future__ import annotations

import asyncio

import pytest

from connector.engine import Change, Fenced, Filter, Settlement, Store, StoreError, TaskState
from tests.engine.engines import Engine
from tests.engine.kit import accept, call, counts, end, finish, lease_one, new


async def test_workers_have_names(store: Store) -> None:
    assert store.worker == "first"


async def test_a_crash_before_the_end_gives_the_task_anew_with_its_calls(store: Store, engine: Engine) -> None:
    [task] = await accept(store, new({"a": 1}))
    await lease_one(store)
    await store.commit(Change(intend=[call(task), call(task, number=1)]))
    await store.commit(Change(end=[end(task)]))
    await engine.kill(store)
    again = await engine.open("second")
    leased = await lease_one(again)
    assert (leased.id, leased.attempts, leased.document) == (task, 2, {"a": 1})
    assert [one.open for one in leased.calls] == [False, True]
    await finish(again, task)
    assert await counts(again) == {"finished": 1}


async def test_closing_gives_back_what_is_leased(store: Store, engine: Engine) -> None:
    ids = await accept(store, new(), new(order="a"), new(order="a"))
    await store.lease("route", 9)
    await store.close()
    again = await engine.open("second")
    assert [task.id for task in await again.lease("route", 9)] == list(ids[:2])


async def test_one_that_was_taken_over_changes_nothing_any_more(store: Store, engine: Engine) -> None:
    [task] = await accept(store, new())
    await lease_one(store)
    second = await engine.overtake(store)
    assert (await lease_one(second)).id == task
    for change in (Change(intend=[call(task)]), Change(settle=[Settlement(task=task, state=TaskState.FAILED)])):
        with pytest.raises(Fenced):
            await store.commit(change)
    await finish(second, task)
    kept = await second.task(task)
    assert kept is not None
    assert (kept.state, kept.calls) == (TaskState.FINISHED, [])


async def test_one_that_was_taken_over_learns_it_without_a_change(store: Store, engine: Engine) -> None:
    [task] = await accept(store, new())
    await lease_one(store)
    assert await store.renew_leases([task]) == []
    second = await engine.overtake(store)
    await lease_one(second)
    async with asyncio.timeout(30):
        while await store.renew_leases([task]) != [task]:
            await store.wait_for_change(0.05)


async def test_an_admin_looks_after_tasks_while_a_runner_works(store: Store, engine: Engine) -> None:
    failed, busy, later = await accept(store, new(), new(), new(due=engine.clock() + 99))
    await store.lease("route", 2)
    await store.commit(Change(settle=[Settlement(task=failed, state=TaskState.FAILED)]))
    admin = await engine.open("admin", role="admin")
    assert await counts(admin) == {"failed": 1, "processing": 1, "waiting": 1}
    with pytest.raises(Fenced):
        await finish(admin, busy)
    with pytest.raises(StoreError):
        await admin.lease("route", 1)
    assert await admin.skip(Filter(), "by hand") == 2
    await store.wait_for_change(0)
    assert await admin.retry(Filter(ids=[failed, later])) == 2
    async with asyncio.timeout(30):
        await store.wait_for_change(60)
    assert [task.id for task in await store.lease("route", 9)] == [failed, later]
    await finish(store, busy)
    await admin.close()
    assert await counts(store) == {"finished": 1, "processing": 2}


async def test_an_admin_alone_sees_that_nobody_works(store: Store, engine: Engine) -> None:
    await accept(store, new())
    await lease_one(store)
    await engine.kill(store)
    admin = await engine.open("admin", role="admin")
    assert await admin.skip(Filter(), "not wanted any more") == 1
    assert await counts(admin) == {"skipped": 1}


async def test_a_closed_store_says_so(store: Store) -> None:
    await store.close()
    with pytest.raises(StoreError, match="closed"):
        await store.commit(Change(accept=[new()]))
    with pytest.raises(StoreError, match="closed"):
        await store.counts()


async def test_a_hundred_at_once(store: Store, engine: Engine) -> None:
    """Readers, workers and lists together: every document is finished once, and the counts say so."""
    seen: list[int] = []
    left = many = engine.many

    async def read(first: int) -> None:
        for number in range(first, many, 10):
            await accept(store, new({"n": number}, key=str(number), order=str(number % 50)))

    async def work() -> None:
        nonlocal left
        while left > 0:
            tasks = await store.lease("route", 5)
            if not tasks:
                await store.wait_for_change(0.05)
            for task in tasks:
                await store.commit(Change(intend=[call(task.id, task.attempts)]))
                change = Change(
                    end=[end(task.id, task.attempts)],
                    settle=[Settlement(task=task.id, state=TaskState.FINISHED)],
                    records={("seen", str(task.document["n"])): task.id},
                )
                await store.commit(change)
                seen.append(task.document["n"])
                left -= 1

    async def look() -> None:
        while left > 0:
            await store.tasks(Filter(states=[TaskState.FINISHED]), after=max(seen, default=0), limit=10)
            await store.counts()

    await asyncio.gather(
        *(read(first) for first in range(10)), *(work() for _ in range(86)), *(look() for _ in range(4))
    )
    assert sorted(seen) == list(range(many))
    assert await counts(store) == {"finished": many}
    assert len(await store.records("seen")) == many
