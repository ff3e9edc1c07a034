"""Tasks are given to one worker at a time, the oldest first, when they are due."""

from __future__ import annotations

import asyncio

from connector.engine import Change, Store, TaskState
from tests.engine.engines import Engine
from tests.engine.kit import accept, call, counts, end, finish, lease_one, new, settle


async def test_lease_gives_the_oldest_and_counts(store: Store, engine: Engine) -> None:
    ids = await accept(store, *(new({"n": number}) for number in range(5)))
    engine.clock.now += 1
    leased = await store.lease("route", 3)
    assert [task.id for task in leased] == list(ids[:3])
    assert [(task.state, task.attempts, task.updated) for task in leased] == [("processing", 1, engine.clock())] * 3
    assert [task.document for task in leased] == [{"n": 0}, {"n": 1}, {"n": 2}]
    assert await counts(store) == {"new": 2, "processing": 3}


async def test_a_leased_task_is_not_given_again(store: Store) -> None:
    ids = await accept(store, new(), new())
    first = await store.lease("route", 1)
    second = await store.lease("route", 5)
    assert [task.id for task in [*first, *second]] == list(ids)
    assert await store.lease("route", 5) == []


async def test_routes_do_not_see_each_other(store: Store) -> None:
    await accept(store, new(route="a"))
    assert await store.lease("b", 1) == []
    assert len(await store.lease("a", 1)) == 1


async def test_a_limit_counts_what_is_leased_already(store: Store) -> None:
    await accept(store, *(new() for _ in range(9)), new(route="other"))
    await store.lease("other", 1)
    assert len(await store.lease("route", 3, limit=4)) == 3
    assert len(await store.lease("route", 3, limit=4)) == 1
    assert await store.lease("route", 3, limit=4) == []
    assert len(await store.lease("route", 9)) == 5


async def test_one_that_waits_is_given_when_it_is_due(store: Store, engine: Engine) -> None:
    [task] = await accept(store, new())
    await lease_one(store)
    await settle(store, task, TaskState.WAITING, due=engine.clock() + 10, reason="busy")
    assert await store.lease("route", 1) == []
    assert await store.next_due("route") == engine.clock() + 10
    waits = await store.task(task)
    assert waits is not None
    assert (waits.state, waits.reason, waits.due) == (TaskState.WAITING, "busy", engine.clock() + 10)
    engine.clock.now += 10
    again = await lease_one(store)
    assert (again.id, again.attempts) == (task, 2)
    assert await store.next_due("route") is None


async def test_one_that_is_released_is_given_at_once_before_later_ones(store: Store) -> None:
    first, _ = await accept(store, new(), new())
    await lease_one(store)
    await settle(store, first, TaskState.WAITING, uncounted=True)
    again = await lease_one(store)
    assert (again.id, again.attempts) == (first, 1)


async def test_calls_of_earlier_attempts_come_with_the_task(store: Store) -> None:
    [task] = await accept(store, new())
    await lease_one(store)
    await store.commit(Change(intend=[call(task, request={"a": 1}, lookup="own-key", started=1.0)]))
    await settle(store, task, TaskState.WAITING)
    [kept] = (await lease_one(store)).calls
    assert kept == call(task, request={"a": 1}, lookup="own-key", started=1.0)
    assert kept.open


async def test_clocks_that_jump_back_keep_the_order(store: Store, engine: Engine) -> None:
    first = await accept(store, new())
    engine.clock.now -= 10_000
    second = await accept(store, new())
    assert [task.id for task in await store.lease("route", 2)] == [*first, *second]


async def test_hold_tells_what_is_not_leased_here(store: Store) -> None:
    first, second, third = await accept(store, new(), new(), new())
    await store.lease("route", 2)
    await finish(store, second)
    assert sorted(await store.renew_leases([first, second, third])) == [second, third]


async def test_changed_wakes_when_there_is_something_to_lease(store: Store) -> None:
    await store.wait_for_change(0)
    waiting = asyncio.create_task(store.wait_for_change(60))
    await asyncio.sleep(0)
    await accept(store, new())
    async with asyncio.timeout(30):
        await waiting


async def test_changed_remembers_what_happened_since_it_returned_last(store: Store) -> None:
    await accept(store, new())
    async with asyncio.timeout(30):
        await store.wait_for_change(60)


async def test_changed_returns_after_its_time(store: Store) -> None:
    async with asyncio.timeout(30):
        await store.wait_for_change(0.01)


async def test_a_lease_that_nobody_waits_for_is_given_back(store: Store) -> None:
    [task] = await accept(store, new())
    leasing = asyncio.create_task(store.lease("route", 1))
    await asyncio.sleep(0)
    leasing.cancel()
    await asyncio.gather(leasing, return_exceptions=True)
    async with asyncio.timeout(30):
        while not (again := await store.lease("route", 1)):
            await store.wait_for_change(0.05)
    assert (again[0].id, again[0].attempts) == (task, 1)


async def test_an_attempt_that_is_cut_off_before_anything_is_sent_does_not_count(engine: Engine) -> None:
    store = await engine.open()
    [task] = await accept(store, new())
    for cut_off in range(5):
        leased = await lease_one(store)
        assert (leased.id, leased.attempts, leased.cut_off) == (task, 1, cut_off)
        await engine.kill(store)
        store = await engine.open()
    await lease_one(store)
    await settle(store, task, TaskState.WAITING)
    again = await lease_one(store)
    assert (again.attempts, again.cut_off) == (2, 0)


async def test_an_attempt_that_may_have_sent_something_counts_when_it_is_cut_off(engine: Engine) -> None:
    store = await engine.open()
    [task] = await accept(store, new())
    for attempt in range(1, 4):
        leased = await lease_one(store)
        assert (leased.attempts, leased.cut_off) == (attempt, 0)
        await store.commit(Change(intend=[call(task, attempt)]))
        await engine.kill(store)
        store = await engine.open()


async def test_a_call_that_did_not_go_out_does_not_make_its_attempt_count(engine: Engine) -> None:
    store = await engine.open()
    [task] = await accept(store, new())
    await lease_one(store)
    await store.commit(Change(intend=[call(task, 1)]))
    await store.commit(Change(end=[end(task, 1, state="not_sent")]))
    await engine.kill(store)
    store = await engine.open()
    assert (await lease_one(store)).attempts == 1


async def test_tasks_that_are_often_cut_off_come_apart(engine: Engine) -> None:
    store = await engine.open()
    await accept(store, *(new() for _ in range(5)))
    for _ in range(12):
        await store.lease("route", 5)
        await engine.kill(store)
        store = await engine.open()
        engine.clock.now += 60
    assert len(await store.lease("route", 5)) == 5


async def test_one_task_is_leased_by_its_id_whatever_is_older(store: Store, engine: Engine) -> None:
    first, second = await accept(store, new({"n": 1}), new({"n": 2}))
    leased = await store.lease_task(second)
    assert leased is not None
    assert (leased.id, leased.document, leased.attempts, leased.state) == (second, {"n": 2}, 1, TaskState.PROCESSING)
    assert await store.lease_task(second) is None
    assert await counts(store) == {"new": 1, "processing": 1}
    await settle(store, second, TaskState.WAITING, due=engine.clock() + 10)
    assert await store.lease_task(second) is None
    engine.clock.now += 10
    again = await store.lease_task(second)
    assert again is not None
    assert again.attempts == 2
    await finish(store, second)
    assert await store.lease_task(second) is None
    assert await store.lease_task(999_999) is None
    assert [task.id for task in await store.lease("route", 9)] == [first]


async def test_one_task_that_is_leased_by_its_id_has_the_calls_of_the_worker_that_is_gone(
    store: Store, engine: Engine
) -> None:
    [task] = await accept(store, new())
    assert await store.lease_task(task) is not None
    await store.commit(Change(intend=[call(task)]))
    await engine.kill(store)
    other = await engine.overtake(store)
    leased = await other.lease_task(task)
    assert leased is not None
    assert (leased.attempts, [one.open for one in leased.calls]) == (2, [True])
