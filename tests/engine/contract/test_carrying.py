"""Tasks that go on together in one wait for it, and share its end or come to their own."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from connector.engine import Carrier, Change, Fenced, Filter, Settlement, Store, StoreError, TaskState
from tests.engine.engines import Engine
from tests.engine.kit import accept, call, counts, end, finish, lease_one, new, settle


async def carried(store: Store, members: int = 3, **more: str) -> tuple[int, Sequence[int]]:
    """A carrier, not leased, with its members."""
    ids = await accept(store, *(new({"n": number}, **more) for number in range(members)))
    await store.lease("route", members)
    committed = await store.commit(Change(carry=[Carrier(carrier=new(route="batch", key="same"), members=ids)]))
    return committed.carriers[0], ids


async def test_members_wait_in_their_carrier(store: Store) -> None:
    carrier, members = await carried(store)
    assert await store.lease("route", 9) == []
    assert await store.renew_leases(members) == members
    assert await counts(store) == {"waiting": 3}
    waiting = await store.carried_tasks(carrier)
    assert [(task.id, task.document, task.carrier) for task in waiting] == [
        (member, {"n": number}, carrier) for number, member in enumerate(members)
    ]
    assert [task.id for task in await store.carried_tasks(carrier, after=members[0], limit=1)] == [members[1]]
    assert (await lease_one(store, "batch")).id == carrier


async def test_carriers_are_never_duplicates(store: Store) -> None:
    first, _ = await carried(store)
    second, _ = await carried(store)
    assert 0 < first < second


async def test_all_come_to_the_same_end(store: Store) -> None:
    carrier, members = await carried(store)
    await lease_one(store, "batch")
    await settle(store, carrier, TaskState.UNKNOWN, reason="cut off", carried=True)
    kept = [await store.task(member) for member in members]
    assert [(task.state, task.reason, task.carrier) for task in kept if task] == [
        (TaskState.UNKNOWN, "cut off", carrier)
    ] * 3
    assert await counts(store) == {"unknown": 3}
    assert await store.carried_tasks(carrier) == []


async def test_members_come_to_their_own_ends_while_the_carrier_is_leased(store: Store) -> None:
    carrier, [first, second, third] = await carried(store)
    await lease_one(store, "batch")
    await store.commit(Change(intend=[call(first)]))
    await store.commit(Change(end=[end(first)], settle=[Settlement(task=first, state=TaskState.FINISHED)]))
    await store.commit(Change(settle=[Settlement(task=second, state=TaskState.WAITING, uncounted=True)]))
    assert [task.id for task in await store.carried_tasks(carrier)] == [third]
    again = await lease_one(store)
    assert (again.id, again.carrier, again.attempts) == (second, 0, 1)
    last = [Settlement(task=third, state=TaskState.FAILED), Settlement(task=carrier, state=TaskState.FINISHED)]
    await store.commit(Change(settle=last))
    assert await counts(store) == {"finished": 1, "processing": 1, "failed": 1}


async def test_a_member_that_ended_does_not_end_again_with_its_carrier(store: Store) -> None:
    carrier, [first, *_] = await carried(store)
    await lease_one(store, "batch")
    await finish(store, first)
    await settle(store, carrier, TaskState.FAILED, carried=True)
    assert await counts(store) == {"finished": 1, "failed": 2}


async def test_members_are_nobodys_while_the_carrier_is_not_leased(store: Store) -> None:
    _, [first, *_] = await carried(store)
    with pytest.raises(Fenced):
        await finish(store, first)


async def test_only_leased_tasks_can_be_carried(store: Store) -> None:
    [task] = await accept(store, new())
    with pytest.raises(Fenced):
        await store.commit(Change(carry=[Carrier(carrier=new(route="batch"), members=[task])]))
    assert await store.lease("batch", 1) == []


async def test_a_carrier_cannot_end_before_its_members(store: Store) -> None:
    carrier, _ = await carried(store)
    await lease_one(store, "batch")
    with pytest.raises(StoreError, match="while tasks go in it"):
        await finish(store, carrier)
    with pytest.raises(StoreError, match="does not end"):
        await settle(store, carrier, TaskState.WAITING, carried=True)
    await settle(store, carrier, TaskState.WAITING)
    assert await counts(store) == {"waiting": 3}


async def test_members_wait_through_a_crash(store: Store, engine: Engine) -> None:
    carrier, members = await carried(store)
    await lease_one(store, "batch")
    await engine.kill(store)
    again = await engine.open("second")
    assert await again.lease("route", 9) == []
    assert (await lease_one(again, "batch")).id == carrier
    assert [task.id for task in await again.carried_tasks(carrier)] == list(members)
    await settle(again, carrier, TaskState.FINISHED, carried=True)
    assert await counts(again) == {"finished": 3}


async def test_an_order_key_waits_for_its_carried_task(store: Store) -> None:
    carrier, [member] = await carried(store, 1, order="a")
    [after] = await accept(store, new(order="a"))
    assert await store.lease("route", 9) == []
    await lease_one(store, "batch")
    await settle(store, carrier, TaskState.FINISHED, carried=True)
    assert member < after
    assert (await lease_one(store)).id == after


async def test_people_retry_members_and_skip_carriers(store: Store) -> None:
    carrier, members = await carried(store)
    assert await store.skip(Filter(ids=members), "alone") == 0
    assert await store.skip(Filter(ids=[carrier]), "all") == 1
    assert await counts(store) == {"skipped": 3}
    assert await store.retry(Filter(ids=[carrier, *members])) == 3
    assert [(task.id, task.carrier) for task in await store.lease("route", 9)] == [(member, 0) for member in members]
    assert await store.lease("batch", 1) == []
