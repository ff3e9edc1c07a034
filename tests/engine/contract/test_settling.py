"""A change is done whole or not at all, by the worker that has leased its tasks."""

from __future__ import annotations

import asyncio

import pytest

from connector.engine import ENDS, Change, Expense, Fenced, Line, Settlement, Store, StoreError, TaskState
from tests.engine.engines import Engine
from tests.engine.kit import accept, call, counts, end, finish, lease_one, new, settle


@pytest.mark.parametrize("state", sorted(ENDS))
async def test_ends_stay(store: Store, engine: Engine, state: TaskState) -> None:
    [task] = await accept(store, new())
    await lease_one(store)
    engine.clock.now += 5
    await settle(store, task, state, reason="because")
    kept = await store.task(task)
    assert kept is not None
    assert (kept.state, kept.reason, kept.updated, kept.attempts) == (state, "because", engine.clock(), 1)
    assert await counts(store) == {str(state): 1}
    assert await store.lease("route", 1) == []


async def test_everything_of_a_change_is_done_at_once(store: Store, engine: Engine) -> None:
    [task] = await accept(store, new())
    await lease_one(store)
    await store.commit(Change(intend=[call(task)]))
    committed = await store.commit(
        Change(
            accept=[new({"answer": 1}, route="next", source=task)],
            end=[end(task)],
            settle=[Settlement(task=task, state=TaskState.FINISHED)],
            cursors={"feed": {"after": 7}},
            records={("storage", "key"): [1]},
            lines=[Line(place="out.jsonl", data=b"{}\n")],
            spent=[Expense(name="budget", at=engine.clock(), tokens=5, cost=0.25)],
        )
    )
    await engine.kill(store)
    again = await engine.open("second")
    kept, follow_up = await again.task(task), await again.task(committed.accepted[0])
    assert kept is not None
    assert follow_up is not None
    assert (kept.state, kept.calls[0].state, follow_up.source) == (TaskState.FINISHED, "done", task)
    assert (await again.cursor("feed"), await again.record("storage", "key")) == ({"after": 7}, [1])
    assert [line.data for _, line in (await again.pending_lines("out.jsonl", 9)).lines] == [b"{}\n"]
    assert (await again.spending("budget", engine.clock() - 60)).tokens == 5


async def test_a_change_that_is_not_ours_does_nothing_at_all(store: Store) -> None:
    [task] = await accept(store, new())
    change = Change(
        accept=[new()],
        settle=[Settlement(task=task, state=TaskState.FINISHED)],
        cursors={"feed": 1},
        records={("a", "b"): 1},
    )
    with pytest.raises(Fenced, match=f"task {task}"):
        await store.commit(change)
    assert await counts(store) == {"new": 1}
    assert (await store.cursor("feed"), await store.record("a", "b")) == (None, None)


async def test_a_settled_task_is_leased_no_longer(store: Store) -> None:
    [task] = await accept(store, new())
    await lease_one(store)
    await finish(store, task)
    for change in (
        Change(settle=[Settlement(task=task, state=TaskState.FAILED)]),
        Change(intend=[call(task)]),
        Change(end=[end(task)]),
    ):
        with pytest.raises(Fenced):
            await store.commit(change)
    assert await counts(store) == {"finished": 1}


async def test_tasks_that_are_not_there_are_nobodys(store: Store) -> None:
    with pytest.raises(Fenced, match="task 99"):
        await finish(store, 99)


async def test_a_wrong_change_fails_alone(store: Store) -> None:
    good, bad = await accept(store, new(), new())
    await store.lease("route", 2)
    wrong = Change(
        intend=[call(bad)], end=[end(bad, number=5)], settle=[Settlement(task=bad, state=TaskState.FINISHED)]
    )
    results = await asyncio.gather(
        accept(store, new()),
        store.commit(wrong),
        finish(store, good),
        store.commit(Change(settle=[Settlement(task=12345, state=TaskState.FINISHED)])),
        accept(store, new()),
        return_exceptions=True,
    )
    assert isinstance(results[1], StoreError)
    assert isinstance(results[3], Fenced)
    assert not any(isinstance(results[number], Exception) for number in (0, 2, 4))
    assert await counts(store) == {"finished": 1, "processing": 1, "new": 2}
    kept = await store.task(bad)
    assert kept is not None
    assert kept.calls == []
    await finish(store, bad)


async def test_a_task_cannot_be_settled_twice_in_a_change_or_as_processing(store: Store) -> None:
    [task] = await accept(store, new())
    await lease_one(store)
    twice = [Settlement(task=task, state=TaskState.FINISHED), Settlement(task=task, state=TaskState.FAILED)]
    for settled in (twice, [Settlement(task=task, state=TaskState.PROCESSING)]):
        with pytest.raises(StoreError):
            await store.commit(Change(settle=settled))
    assert await counts(store) == {"processing": 1}
    await finish(store, task)


async def test_an_empty_change_is_none(store: Store) -> None:
    committed = await store.commit(Change())
    assert (list(committed.accepted), list(committed.carriers)) == ([], [])
