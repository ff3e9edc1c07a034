"""Documents become tasks, each once."""

from __future__ import annotations

import pytest

from connector.engine import Change, Filter, NewTask, Store, TaskState
from connector.errors import InvalidDocument
from tests.engine.engines import Engine
from tests.engine.kit import accept, counts, finish, lease_one, new


async def test_accepted_task_is_kept_as_it_came(store: Store, engine: Engine) -> None:
    document = {"text": "süß ☕", "deep": [{"null": None}, 1.5, True, 2**53]}
    [task] = await accept(store, new(document, key="k", version="v", order="", trace="00-ab", source=7))
    kept = await store.task(task)
    assert kept is not None
    assert (kept.document, kept.key, kept.version, kept.trace, kept.source) == (document, "k", "v", "00-ab", 7)
    assert (kept.state, kept.attempts, kept.created, kept.updated) == (TaskState.NEW, 0, engine.clock(), engine.clock())


async def test_ids_grow_and_are_never_used_again(store: Store, engine: Engine) -> None:
    first = await accept(store, new(), new(), new())
    assert list(first) == sorted(set(first))
    for task in await store.lease("route", 10):
        await finish(store, task.id)
    assert await store.purge(Filter()) == 3
    await store.close()
    [later] = await accept(await engine.open(), new())
    assert later > max(first)


async def test_same_key_and_version_is_a_duplicate(store: Store) -> None:
    [task, again] = await accept(store, new(key="k", version="1"), new(key="k", version="1"))
    assert (task > 0, again) == (True, 0)
    assert await accept(store, new(key="k", version="1")) == [0]
    assert await counts(store) == {"new": 1}


async def test_another_version_is_a_new_task_and_so_is_one_that_comes_back(store: Store) -> None:
    ids = [(await accept(store, new(key="k", version=version)))[0] for version in ("1", "2", "1", "1")]
    assert ids[3] == 0
    assert ids[:3] == sorted(ids[:3])
    assert 0 not in ids[:3]


async def test_keys_are_of_their_route(store: Store) -> None:
    ids = await accept(store, new(key="k", route="a"), new(key="k", route="b"))
    assert all(ids)


async def test_documents_without_a_key_are_never_duplicates(store: Store) -> None:
    assert all(await accept(store, new({"a": 1}), new({"a": 1})))


async def test_duplicates_are_known_after_a_restart_and_after_purging(store: Store, engine: Engine) -> None:
    await accept(store, new(key="k", version="1"))
    await finish(store, (await lease_one(store)).id)
    assert await store.purge(Filter(states=[TaskState.FINISHED])) == 1
    await store.close()
    assert await accept(await engine.open(), new(key="k", version="1")) == [0]


async def test_tasks_of_the_future_wait(store: Store, engine: Engine) -> None:
    [task] = await accept(store, new(due=engine.clock() + 60))
    assert await store.lease("route", 1) == []
    assert await store.next_due("route") == engine.clock() + 60
    engine.clock.now += 60
    assert (await lease_one(store)).id == task


async def test_what_is_not_json_is_refused_and_nothing_is_done(store: Store) -> None:
    with pytest.raises(InvalidDocument, match="bytes"):
        await store.commit(Change(accept=[new(), NewTask(route="route", document={"a": b"bytes"})]))
    assert await counts(store) == {}


async def test_vanished_keys_are_those_that_this_reading_did_not_see(store: Store) -> None:
    first = [new(key=f"k{number:04}", version="1", reading=1) for number in range(1500)]
    await accept(store, *first, new(key="other", version="1"))
    await accept(store, *(new(key=f"k{number:04}", version="1", reading=2) for number in range(0, 1500, 2)))
    await accept(store, new(key="k0001", version="2", reading=2), new(key="k0003", version="deleted", reading=1))
    found = [key async for key in store.vanished_keys("route", 2)]
    assert found == [f"k{number:04}" for number in range(5, 1500, 2)]
    assert [key async for key in store.vanished_keys("nobody", 2)] == []


async def test_a_document_known_by_its_key_alone_is_taken_once_whatever_it_was_seen_with(store: Store) -> None:
    assert all(await accept(store, new(key="k", version="digest", reading=1)))
    once = {"key": "k", "unique": "key"}
    assert await accept(store, new(**once, reading=2), new(**once, reading=3)) == [0, 0]
    assert [key async for key in store.vanished_keys("route", 3)] == []
    [again, twice] = await accept(store, new(**once, version="1:"), new(**once, version="1:"))
    assert (again > 0, twice) == (True, 0)
    assert await accept(store, new(key="k", version="deleted")) != [0]
    assert await accept(store, new(**once)) != [0]
    assert await accept(store, new(**once), new(key="k", version="digest")) != [0, 0]


async def test_one_that_is_never_a_duplicate_keeps_its_key_and_hides_nobody(store: Store) -> None:
    assert all(await accept(store, *(new(key="k", version="1", unique="no") for _ in range(2))))
    assert all(await accept(store, new(key="k", version="1")))
    assert len(await store.tasks(Filter(key="k"))) == 3
