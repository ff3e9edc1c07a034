"""Clocks jump: no task is given before its time, and none that was cut off waits for a time that was."""

from __future__ import annotations

import pytest

from connector.engine import Filter, TaskState
from tests.engine.engines import Sqlite
from tests.engine.kit import accept, finish, lease_one, new, settle


@pytest.mark.parametrize("order", ["", "a"])
@pytest.mark.parametrize("early", [50, 0, -1])
async def test_one_whose_time_had_come_waits_again_when_the_clock_goes_back(
    engine: Sqlite, order: str, early: int
) -> None:
    store = await engine.open()
    [task] = await accept(store, new(order=order, due=engine.clock() + early))
    engine.clock.now += 50
    assert await store.next_due("route") == engine.clock() + early - 50
    engine.clock.now -= 100
    assert await store.lease("route", 1) == []
    engine.clock.now += 100
    assert (await lease_one(store)).id == task


async def test_one_that_gets_its_turn_waits_for_its_time_on_whatever_clock(engine: Sqlite) -> None:
    store = await engine.open()
    due = engine.clock() + 50
    first, second = await accept(store, new(order="a", due=due), new(order="a", due=due))
    engine.clock.now += 50
    assert await store.skip(Filter(ids=[first]), "") == 1
    engine.clock.now -= 20
    assert await store.lease("route", 9) == []
    engine.clock.now += 20
    assert (await lease_one(store)).id == second


async def test_one_that_waits_is_not_given_early(engine: Sqlite) -> None:
    store = await engine.open()
    [task] = await accept(store, new())
    await lease_one(store)
    await settle(store, task, TaskState.WAITING, due=engine.clock())
    engine.clock.now -= 10
    assert await store.lease("route", 1) == []
    engine.clock.now += 10
    await finish(store, (await lease_one(store)).id)


async def test_one_that_was_cut_off_is_given_at_once_on_whatever_clock(engine: Sqlite) -> None:
    store = await engine.open()
    older, [task] = await accept(store, new(order="a")), await accept(store, new(order="a", due=engine.clock() + 50))
    await finish(store, (await lease_one(store)).id)
    engine.clock.now += 50
    assert (await lease_one(store)).id == task
    await engine.kill(store)
    engine.clock.now -= 1000
    again = await engine.open()
    assert await again.retry(Filter(ids=older)) == 1
    await finish(again, (await lease_one(again)).id)
    assert (await lease_one(again)).id == task


@pytest.mark.parametrize("back", [3600.0, 86_400.0, 315_360_000.0])
@pytest.mark.parametrize("order", ["", "a"])
async def test_a_wait_is_as_long_as_it_was_when_the_clock_has_gone_back_between_two_runs(
    engine: Sqlite, back: float, order: str
) -> None:
    store = await engine.open()
    [task] = await accept(store, new(order=order))
    await lease_one(store)
    await settle(store, task, TaskState.WAITING, due=engine.clock() + 50)
    await engine.kill(store)
    engine.clock.now -= back
    store = await engine.open()
    assert await store.lease("route", 1) == []
    engine.clock.now += 50
    assert (await lease_one(store)).id == task
