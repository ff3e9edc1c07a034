"""Calls are written down before they are sent, and what they came to afterwards."""

from __future__ import annotations

import pytest

from connector.engine import Change, Settlement, Store, StoreError, TaskState
from tests.engine.engines import Engine
from tests.engine.kit import accept, call, end, lease_one, new, settle


async def test_a_call_and_its_end(store: Store) -> None:
    [task] = await accept(store, new())
    await lease_one(store)
    await store.commit(Change(intend=[call(task), call(task, number=1)]))
    await store.commit(Change(end=[end(task, number=1, outcome={"status": 200, "body": None})]))
    kept = await store.task(task)
    assert kept is not None
    assert [one.open for one in kept.calls] == [True, False]
    assert (kept.calls[1].state, kept.calls[1].ended) == ("done", 2.0)
    assert kept.calls[1].outcome == {"status": 200, "body": None}


async def test_intent_and_end_in_one_change(store: Store) -> None:
    [task] = await accept(store, new())
    await lease_one(store)
    await store.commit(Change(intend=[call(task)], end=[end(task, state="not_sent")]))
    kept = await store.task(task)
    assert kept is not None
    assert [one.state for one in kept.calls] == ["not_sent"]


async def test_an_open_call_of_a_dead_worker_can_be_ended(store: Store, engine: Engine) -> None:
    [task] = await accept(store, new())
    await lease_one(store)
    await store.commit(Change(intend=[call(task)]))
    await engine.kill(store)
    again = await engine.open("second")
    leased = await lease_one(again)
    assert leased.attempts == 2
    assert [one.open for one in leased.calls] == [True]
    await again.commit(Change(end=[end(task, attempt=1, outcome={"found": "file-1"})]))
    kept = await again.task(task)
    assert kept is not None
    assert [(one.attempt, one.state, one.outcome) for one in kept.calls] == [(1, "done", {"found": "file-1"})]


async def test_a_later_word_on_a_call_counts(store: Store) -> None:
    [task] = await accept(store, new())
    await lease_one(store)
    await store.commit(Change(intend=[call(task)]))
    await store.commit(Change(end=[end(task, state="unknown")]))
    await store.commit(Change(end=[end(task, state="done")]))
    kept = await store.task(task)
    assert kept is not None
    assert [one.state for one in kept.calls] == ["done"]


async def test_the_same_place_in_an_uncounted_attempt_keeps_both_calls(store: Store) -> None:
    [task] = await accept(store, new())
    for state in ("refused", "done"):
        leased = await lease_one(store)
        assert leased.attempts == 1
        await store.commit(Change(intend=[call(task, attempt=1)]))
        await store.commit(Change(end=[end(task, attempt=1, state=state)]))
        await settle(store, task, TaskState.WAITING, uncounted=True)
    kept = await store.task(task)
    assert kept is not None
    assert [one.state for one in kept.calls] == ["refused", "done"]


async def test_many_calls_come_in_their_order(store: Store) -> None:
    [task] = await accept(store, new())
    await lease_one(store)
    for first in range(0, 300, 100):
        await store.commit(Change(intend=[call(task, number=number) for number in range(first, first + 100)]))
    kept = await store.task(task)
    assert kept is not None
    assert [one.number for one in kept.calls] == list(range(300))


async def test_a_call_that_nobody_intended_cannot_end(store: Store) -> None:
    [task] = await accept(store, new())
    await lease_one(store)
    with pytest.raises(StoreError, match=f"task {task} has no call 3 in attempt 1"):
        await store.commit(Change(end=[end(task, number=3)]))


async def test_json_that_is_known_already_is_kept_as_it_is(store: Store) -> None:
    """What was encoded once, as when secrets were looked for, is not encoded again."""
    await accept(store, new({}))
    task = await lease_one(store)
    await store.commit(Change(intend=[call(task.id, request={"n": 1}, encoded=b'{"n":1,"by":"bytes"}')]))
    ended = end(task.id, outcome={"body": 1}, encoded=b'{"body":1,"by":"bytes"}')
    await store.commit(Change(end=[ended], settle=[Settlement(task=task.id, state=TaskState.FINISHED)]))
    known = await store.task(task.id)
    assert known is not None
    [kept] = known.calls
    assert kept.request == {"n": 1, "by": "bytes"}
    assert kept.outcome == {"body": 1, "by": "bytes"}
