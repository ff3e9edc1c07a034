"""What people ask for and do: lists, retries, skips, forgetting, copies."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from connector.engine import Carrier, Change, Filter, Store, StoreError, TaskState, open_store
from tests.engine.engines import Engine
from tests.engine.kit import accept, call, counts, end, finish, lease_one, new, settle

ENDINGS = {
    TaskState.FINISHED: "",
    TaskState.FAILED: "refused: 400",
    TaskState.UNKNOWN: "cut off",
    TaskState.SKIPPED: "dropped",
}


@pytest.fixture
async def tasks(store: Store, engine: Engine) -> dict[TaskState, int]:
    """One task in each state, on the route `route`, a minute between their last changes; another route has its own."""
    ids = await accept(store, *(new({"n": number}, key=f"k{number}") for number in range(7)))
    found = dict(zip([*ENDINGS, TaskState.WAITING, TaskState.PROCESSING, TaskState.NEW], ids, strict=True))
    await store.lease("route", 6)
    for state, reason in ENDINGS.items():
        engine.clock.now += 60
        await settle(store, found[state], state, reason=reason)
    engine.clock.now += 60
    await settle(store, found[TaskState.WAITING], TaskState.WAITING, due=engine.clock() + 1000)
    await accept(store, new(route="other", key="k0"))
    await finish(store, (await lease_one(store, "other")).id)
    return found


@pytest.mark.parametrize("state", list(TaskState))
async def test_tasks_of_a_state(store: Store, tasks: dict[TaskState, int], state: TaskState) -> None:
    assert [task.id for task in await store.tasks(Filter(route="route", states=[state]))] == [tasks[state]]


async def test_tasks_of_several_states_in_the_order_of_their_ids(store: Store, tasks: dict[TaskState, int]) -> None:
    for states in ([TaskState.NEW, TaskState.UNKNOWN, TaskState.FAILED], list(TaskState), [*ENDINGS]):
        found = [task.id for task in await store.tasks(Filter(route="route", states=states))]
        assert found == sorted(tasks[state] for state in states)


async def test_live_tasks_are_listed_wherever_they_wait(store: Store, engine: Engine) -> None:
    due = engine.clock() + 60
    ids = await accept(store, new(), new(), new(order="a"), new(order="a"), new(due=due), new(order="b", due=due))
    leased = await store.lease("route", 3)
    await store.commit(Change(carry=[Carrier(carrier=new(route="batch"), members=[leased[0].id])]))
    live = Filter(route="route", states=[TaskState.NEW, TaskState.WAITING, TaskState.PROCESSING])
    assert [task.id for task in await store.tasks(live)] == list(ids)
    assert [task.id for task in await store.tasks(Filter(route="route", states=[TaskState.NEW]))] == [ids[3]]


async def test_filters_hold_together(store: Store, engine: Engine, tasks: dict[TaskState, int]) -> None:
    async def found(**wanted: Any) -> list[int]:
        return [task.id for task in await store.tasks(Filter(**wanted))]

    failed, unknown = tasks[TaskState.FAILED], tasks[TaskState.UNKNOWN]
    assert await found(ids=[failed, unknown, 999]) == [failed, unknown]
    assert await found(reason="refused") == [failed]
    assert await found(key="k1") == [failed]
    assert await found(key="k1", states=[TaskState.UNKNOWN]) == []
    assert await found(key="k0", route="route") == [tasks[TaskState.FINISHED]]
    assert len(await found(key="k0")) == 2
    assert await found(route="nowhere") == []
    kept = await store.task(unknown)
    assert kept is not None
    ended = {"route": "route", "states": list(ENDINGS)}
    assert await found(**ended, updated_before=kept.updated) == [tasks[TaskState.FINISHED], failed]
    assert await found(**ended, updated_after=kept.updated) == [unknown, tasks[TaskState.SKIPPED]]


async def test_lists_go_on_after_an_id(store: Store, tasks: dict[TaskState, int]) -> None:
    every = [task.id for task in await store.tasks(Filter())]
    assert [task.id for task in await store.tasks(Filter(), limit=3)] == every[:3]
    assert [task.id for task in await store.tasks(Filter(), after=every[2], limit=3)] == every[3:6]
    live = Filter(states=[TaskState.NEW, TaskState.WAITING, TaskState.PROCESSING])
    first = await store.tasks(live, limit=2)
    rest = await store.tasks(live, after=first[-1].id, limit=2)
    assert len({task.id for task in [*first, *rest]}) == 3


async def test_retried_tasks_start_anew_with_what_was_known(store: Store) -> None:
    [task] = await accept(store, new({"a": 1}, key="k"))
    await lease_one(store)
    await store.commit(Change(intend=[call(task), call(task, number=1)]))
    await store.commit(Change(end=[end(task)]))
    await settle(store, task, TaskState.UNKNOWN, reason="cut off")
    assert await store.retry(Filter(states=[TaskState.UNKNOWN])) == 1
    kept = await store.task(task)
    assert kept is not None
    assert (kept.state, kept.attempts, kept.reason, kept.retried, len(kept.calls)) == (TaskState.NEW, 0, "", 2, 2)
    leased = await lease_one(store)
    assert (leased.attempts, leased.retried, len(leased.calls), leased.document) == (1, 2, 2, {"a": 1})
    await store.commit(Change(intend=[call(task)]))
    await store.commit(Change(end=[end(task, state="refused")]))
    kept = await store.task(task)
    assert kept is not None
    assert [one.state for one in kept.calls] == ["done", "", "refused"]


async def test_a_task_is_retried_with_another_document(store: Store) -> None:
    [task] = await accept(store, new({"a": 1}))
    await lease_one(store)
    await settle(store, task, TaskState.FAILED)
    assert await store.retry(Filter(ids=[task]), document={"a": 2}) == 1
    assert (await lease_one(store)).document == {"a": 2}


async def test_only_ended_tasks_are_retried(store: Store, tasks: dict[TaskState, int]) -> None:
    assert await store.retry(Filter(route="route", states=[TaskState.NEW, TaskState.PROCESSING])) == 0
    assert await store.retry(Filter(route="route")) == 4
    assert await counts(store) == {"new": 5, "waiting": 1, "processing": 1}


async def test_skipped_are_those_that_nobody_works_on_and_that_are_not_finished(
    store: Store, tasks: dict[TaskState, int]
) -> None:
    assert await store.skip(Filter(route="route"), "by hand") == 4
    assert await counts(store) == {"finished": 1, "skipped": 5, "processing": 1}
    kept = await store.task(tasks[TaskState.FAILED])
    assert kept is not None
    assert (kept.state, kept.reason) == (TaskState.SKIPPED, "by hand")
    assert await store.lease("route", 9) == []
    assert await store.next_due("route") is None


async def test_purge_forgets_ended_tasks_alone(store: Store, tasks: dict[TaskState, int]) -> None:
    assert await store.purge(Filter(states=[TaskState.NEW, TaskState.PROCESSING])) == 0
    assert await store.purge(Filter(route="route", states=[TaskState.FAILED])) == 1
    assert await store.task(tasks[TaskState.FAILED]) is None
    assert await store.purge(Filter(), most=2) == 2
    assert await store.purge(Filter(), most=100) == 2
    assert await counts(store) == {"new": 1, "waiting": 1, "processing": 1}
    assert await store.counts("other") in ({}, {"other": {}})


async def test_many_tasks_are_changed_in_parts(store: Store) -> None:
    await accept(store, *(new() for _ in range(2500)))
    assert await store.skip(Filter(route="route"), "") == 2500
    assert await store.retry(Filter(route="route")) == 2500
    assert await store.skip(Filter(route="route", states=[TaskState.NEW]), "") == 2500
    assert await store.purge(Filter(), most=2400) == 2400
    assert await counts(store) == {"skipped": 100}


async def test_counts_and_ages(store: Store, engine: Engine, tasks: dict[TaskState, int]) -> None:
    assert await counts(store) == {str(state): 1 for state in TaskState}
    assert set(await store.counts()) == {"route", "other"}
    assert await store.oldest("other") is None
    kept = await store.task(tasks[TaskState.WAITING])
    assert kept is not None
    assert await store.oldest("route") == kept.created


async def test_a_task_that_is_not_there(store: Store) -> None:
    assert await store.task(1) is None
    assert await store.oldest("nowhere") is None
    assert await store.counts() == {}


async def test_a_backup_is_whole_while_others_write(store: Store, engine: Engine, tmp_path: Path) -> None:
    if type(engine).__name__ != "Sqlite":
        with pytest.raises(StoreError, match="pg_dump"):
            await store.backup(tmp_path / "copy.db")
        return
    await accept(store, *(new({"text": "x" * 2000}) for _ in range(500)))
    await store.backup(tmp_path / "copy.db")
    await accept(store, new())
    copy = await open_store(f"sqlite:///{tmp_path / 'copy.db'}", clock=engine.clock)
    try:
        assert await counts(copy) == {"new": 500}
        assert len(await copy.lease("route", 1000)) == 500
    finally:
        await copy.close()


async def test_a_person_says_how_a_call_ended(store: Store) -> None:
    [one] = await accept(store, new())
    task = await lease_one(store)
    await store.commit(Change(intend=[call(one, fingerprint="f1")]))
    known = end(one, outcome={"status": 200, "body": {"id": "x"}})
    assert not await store.confirm(known)
    await settle(store, task.id, TaskState.UNKNOWN, reason="nobody saw its end")
    assert await store.confirm(known)
    assert not await store.confirm(known)
    again = await lease_one(store)
    assert (again.id, again.attempts, again.retried) == (one, 1, 1)
    assert [(each.state, each.outcome) for each in again.calls] == [("done", {"status": 200, "body": {"id": "x"}})]


async def test_a_call_that_was_not_made_cannot_have_ended(store: Store) -> None:
    [one] = await accept(store, new())
    await lease_one(store)
    await settle(store, one, TaskState.UNKNOWN)
    with pytest.raises(StoreError, match="no call 7"):
        await store.confirm(end(one, number=7))
    known = await store.task(one)
    assert known is not None
    assert known.state is TaskState.UNKNOWN


async def test_what_waits_for_a_time_goes_on_at_once(store: Store, engine: Engine) -> None:
    first, second, third = await accept(store, new(key="a"), new(key="b"), new(key="c"))
    await store.lease("route", 3)
    for task in (first, second):
        reason = f"batch_{task} is in_progress"
        await settle(store, task, TaskState.WAITING, due=engine.clock() + 1000, reason=reason)
    assert await store.lease("route", 3) == []
    assert await store.hurry(Filter(route="route", reason=f"batch_{first} is ")) == 1
    assert [task.id for task in await store.lease("route", 3)] == [first]
    assert await store.hurry(Filter(route="route", ids=[first, third])) == 0
    assert await store.hurry(Filter(route="other")) == 0
