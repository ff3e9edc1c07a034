"""What calls under way may use of budgets is reserved with their intents, and released with their ends."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from connector.engine import BudgetExceeded, Change, Expense, Filter, Reservation, Store, TaskState
from tests.engine.engines import Engine
from tests.engine.kit import accept, call, end, lease_one, new, settle


def reserve(task: int, cost: float, *, most: float | None = 10.0, **more: Any) -> Reservation:
    named: dict[str, Any] = {
        "name": "b",
        "task": task,
        "attempt": 1,
        "number": 0,
        "at": 120.0,
        "most_cost": most,
        **more,
    }
    return Reservation(cost=cost, **named)


async def begun(store: Store, cost: float, **more: object) -> int:
    [task] = await accept(store, new())
    await lease_one(store)
    await store.commit(Change(intend=[call(task)], reserve=[reserve(task, cost, **more)]))
    return task


async def left(store: Store, since: float = 0.0) -> float:
    return (await store.reserved("b", since)).cost


async def test_what_is_reserved_goes_with_the_end_of_its_call(store: Store) -> None:
    task = await begun(store, 4.0)
    assert await left(store) == 4.0
    await store.commit(Change(end=[end(task)], spent=[Expense(name="b", at=120.0, cost=3.0)]))
    assert await left(store) == 0.0
    assert (await store.spending("b", 0.0)).cost == 3.0


async def test_a_call_that_would_exceed_is_not_begun(store: Store) -> None:
    await begun(store, 6.0)
    [task] = await accept(store, new())
    await lease_one(store)
    with pytest.raises(BudgetExceeded) as full:
        await store.commit(Change(intend=[call(task)], reserve=[reserve(task, 5.0)]))
    assert (full.value.spent.cost, full.value.reserved.cost) == (0.0, 6.0)
    kept = await store.task(task)
    assert kept is not None
    assert not kept.calls
    await store.commit(Change(intend=[call(task)], reserve=[reserve(task, 4.0)]))
    assert await left(store) == 10.0


async def test_what_is_settled_by_the_same_change_counts_first(store: Store) -> None:
    task = await begun(store, 9.0)
    change = Change(
        end=[end(task)],
        spent=[Expense(name="b", at=120.0, cost=2.0)],
        intend=[call(task, number=1)],
        reserve=[reserve(task, 8.0, number=1)],
    )
    await store.commit(change)
    assert await left(store) == 8.0


async def test_the_end_that_nobody_knows_keeps_it_in_its_period(store: Store) -> None:
    task = await begun(store, 4.0)
    await store.commit(Change(end=[end(task, state="unknown")]))
    assert await left(store) == 4.0
    assert await left(store, since=180.0) == 0.0
    await settle(store, task, TaskState.UNKNOWN)
    assert await left(store) == 4.0
    assert await store.confirm(end(task, state="not_sent"))
    assert await left(store) == 0.0


async def test_what_goes_on_elsewhere_stays_reserved_until_its_task_ends(store: Store) -> None:
    task = await begun(store, 4.0)
    await store.commit(Change(end=[end(task, pending=True)]))
    assert await left(store, since=9_999.0) == 4.0
    await settle(store, task, TaskState.FINISHED)
    assert await left(store) == 0.0


async def test_a_process_that_dies_leaves_it_until_its_call_is_looked_up(store: Store, engine: Engine) -> None:
    task = await begun(store, 4.0)
    await engine.kill(store)
    again = await engine.open("second")
    assert await left(again) == 4.0
    await lease_one(again)
    await again.commit(Change(end=[end(task, state="refused")]))
    assert await left(again) == 0.0


async def test_purging_takes_it_along(store: Store) -> None:
    task = await begun(store, 4.0)
    await store.commit(Change(end=[end(task, state="unknown")]))
    await settle(store, task, TaskState.UNKNOWN)
    assert await store.purge(Filter(ids=[task])) == 1
    assert await left(store) == 0.0


async def test_an_unknown_call_is_made_alone(store: Store) -> None:
    first = await begun(store, 99.0, alone=True)
    [task] = await accept(store, new())
    await lease_one(store)
    with pytest.raises(BudgetExceeded):
        await store.commit(Change(intend=[call(task)], reserve=[reserve(task, 1.0, alone=True)]))
    await store.commit(Change(end=[end(first)], spent=[Expense(name="b", at=120.0, cost=9.0)]))
    await store.commit(Change(intend=[call(task)], reserve=[reserve(task, 99.0, alone=True)]))
    assert await left(store) == 99.0


@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(costs=st.lists(st.sampled_from([0.5, 1.0, 2.5, 4.0]), min_size=4, max_size=10), workers=st.integers(1, 3))
async def test_however_many_reserve_at_a_time_the_budget_holds(
    engine: Engine, costs: list[float], workers: int
) -> None:
    opened = [await engine.open("first")]
    if "postgresql" in type(engine).__name__.lower():
        opened += [await engine.open(f"w{number}") for number in range(1, workers)]
    name = f"b{id(costs)}"

    async def work(store: Store, cost: float) -> float:
        [task] = await accept(store, new(route=name))
        for one in opened:
            leased = await one.lease_task(task)
            if leased is None:
                continue
            wanted = Reservation(name=name, task=task, attempt=1, number=0, at=120.0, cost=cost, most_cost=6.0)
            try:
                await one.commit(Change(intend=[call(task)], reserve=[wanted]))
            except BudgetExceeded:
                return 0.0
            return cost
        return 0.0

    taken = await asyncio.gather(*(work(opened[n % len(opened)], cost) for n, cost in enumerate(costs)))
    held = await opened[0].reserved(name, 0.0)
    assert held.cost == sum(taken) <= 6.0
    for store in opened:
        await engine.kill(store)
