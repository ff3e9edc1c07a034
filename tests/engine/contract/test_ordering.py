"""Tasks of one order key go one after the other, the oldest first."""

from __future__ import annotations

from connector.engine import Filter, Store, TaskState
from tests.engine.engines import Engine
from tests.engine.kit import accept, finish, new, settle


async def leased(store: Store, route: str = "route") -> list[int]:
    return [task.id for task in await store.lease(route, 100)]


async def test_only_the_oldest_of_an_order_key_is_given(store: Store) -> None:
    a1, a2, b1, free, b2 = await accept(store, *(new(order=order) for order in ("a", "a", "b", "", "b")))
    assert await leased(store) == [a1, b1, free]
    await finish(store, a1)
    assert await leased(store) == [a2]
    await settle(store, b1, TaskState.FAILED)
    assert await leased(store) == [b2]


async def test_a_waiting_one_holds_those_after_it(store: Store, engine: Engine) -> None:
    first, second = await accept(store, new(order="a"), new(order="a"))
    await leased(store)
    await settle(store, first, TaskState.WAITING, due=engine.clock() + 60)
    assert await leased(store) == []
    engine.clock.now += 60
    assert await leased(store) == [first]
    await finish(store, first)
    assert await leased(store) == [second]


async def test_one_that_is_not_due_holds_those_after_it(store: Store, engine: Engine) -> None:
    first, _ = await accept(store, new(order="a", due=engine.clock() + 60), new(order="a"))
    assert await leased(store) == []
    engine.clock.now += 60
    assert await leased(store) == [first]


async def test_order_keys_are_of_their_route(store: Store) -> None:
    [one, other] = await accept(store, new(order="a", route="r1"), new(order="a", route="r2"))
    assert await leased(store, "r1") == [one]
    assert await leased(store, "r2") == [other]


async def test_one_accepted_later_waits_for_its_turn(store: Store) -> None:
    [first] = await accept(store, new(order="a"))
    assert await leased(store) == [first]
    [second] = await accept(store, new(order="a"))
    assert await leased(store) == []
    await finish(store, first)
    assert await leased(store) == [second]


async def test_a_retried_one_goes_before_later_ones_unless_one_is_under_way(store: Store) -> None:
    first, second, third = await accept(store, *(new(order="a") for _ in range(3)))
    await leased(store)
    await settle(store, first, TaskState.FAILED)
    assert await store.retry(Filter(ids=[first])) == 1
    assert await leased(store) == [first]
    await settle(store, first, TaskState.FAILED)
    assert await leased(store) == [second]
    assert await store.retry(Filter(ids=[first])) == 1
    assert await leased(store) == []
    await settle(store, second, TaskState.WAITING)
    assert await leased(store) == [first]
    await finish(store, first)
    assert await leased(store) == [second]
    await finish(store, second)
    assert await leased(store) == [third]


async def test_skipping_the_first_lets_the_next_go(store: Store, engine: Engine) -> None:
    first, second = await accept(store, new(order="a", due=engine.clock() + 60), new(order="a"))
    assert await store.skip(Filter(ids=[first]), "not wanted") == 1
    assert await leased(store) == [second]


async def test_the_order_holds_over_a_crash(store: Store, engine: Engine) -> None:
    first, _, third = await accept(store, *(new(order="a") for _ in range(3)))
    assert await leased(store) == [first]
    await engine.kill(store)
    again = await engine.open("second")
    assert await leased(again) == [first]
    assert await again.skip(Filter(ids=[third]), "") == 1
    assert await leased(again) == []
