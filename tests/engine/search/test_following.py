"""An index follows its store: while somebody looks, after nobody did, when it was lost, and beside another process."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest

from connector.engine import Change, Filter, NewTask, Settlement, Store, StoreError, TaskState
from connector.engine.search import PageQuery, TaskFilter, TaskSearch
from tests.engine.engines import Engine, Sqlite
from tests.engine.kit import accept, new
from tests.engine.search.kit import ENDLESS

Open = Callable[[], TaskSearch]


@pytest.fixture
async def store(engine: Engine) -> Store:
    return await engine.open("first")


@pytest.fixture
async def begin(store: Store, tmp_path: Path) -> AsyncGenerator[Open]:
    """Opens the index again and again; what is open is closed after the test."""
    async with AsyncExitStack() as stack:

        def make() -> TaskSearch:
            opened = TaskSearch(store, tmp_path / "tasks.search", patience=ENDLESS)
            stack.push_async_callback(opened.close)
            return opened

        yield make


async def found(search: TaskSearch, **wanted: str) -> list[int]:
    """The ids of the tasks that fit, after what changed was taken in."""
    await search.follower.settle()
    page = await search.page(PageQuery(filter=TaskFilter(**wanted)))
    await search.follower.settle()
    again = await search.page(PageQuery(filter=TaskFilter(**wanted)))
    assert again.rows == page.rows
    return [row.id for row in page.rows]


async def test_what_is_done_to_tasks_shows(begin: Open, store: Store) -> None:
    search = begin()
    assert await found(search) == []
    one, two, three = await accept(store, new({"t": "one two"}), new({"t": "three"}), new({"t": "four"}))
    assert await found(search) == [one, two, three]
    assert await found(search, text="two") == [one]
    leased = await store.lease("route", 2)
    assert await found(search, text="two") == [one]
    ends = [Settlement(task=task.id, state=TaskState.FAILED, reason="no") for task in leased]
    await store.commit(Change(settle=ends))
    assert await found(search, reason="no") == [one, two]
    await store.retry(Filter(ids=[one]), document={"t": "five"})
    assert await found(search, text="five") == [one]
    assert await found(search, text="two") == []
    await store.purge(Filter(ids=[two]))
    assert await found(search) == [one, three]
    assert await found(search, text="three") == []


async def test_what_was_missed_is_found_by_comparing(begin: Open, store: Store) -> None:
    first = begin()
    ids = await accept(store, *(new({"t": f"number {each}"}) for each in range(20)))
    assert len(await found(first, text="number")) == 20
    await first.close()
    leased = await store.lease("route", 4)
    await store.commit(Change(settle=[Settlement(task=task.id, state=TaskState.FAILED) for task in leased]))
    await store.retry(Filter(ids=[ids[0]]), document={"t": "replaced"})
    await store.purge(Filter(ids=[ids[1]]))
    [last] = await accept(store, new({"t": "number 20"}))
    second = begin()
    assert await found(second) == [ids[0], *ids[2:], last]
    assert await found(second, text="replaced") == [ids[0]]
    assert last in await found(second, text="number")
    await second.close()


@pytest.mark.parametrize("harm", ["lost", "torn", "older"])
async def test_an_index_that_is_lost_is_made_anew(begin: Open, store: Store, tmp_path: Path, harm: str) -> None:
    ids = await accept(store, new({"t": "one two"}))
    first = begin()
    assert await found(first, text="two") == ids
    await first.close()
    path = tmp_path / "tasks.search"
    if harm == "lost":
        path.unlink()
    elif harm == "torn":
        path.write_bytes(b"torn" * 1000)
    else:
        content = bytearray(path.read_bytes())
        content[60:64] = (99).to_bytes(4, "big")  # the schema's version, in the header of the file
        path.write_bytes(content)
    for tail in ("-wal", "-shm"):
        path.with_name(path.name + tail).unlink(missing_ok=True)
    second = begin()
    assert await found(second, text="two") == ids
    await second.close()


async def test_of_two_processes_one_keeps_the_index_and_both_read_it(begin: Open, store: Store) -> None:
    keeper, other = begin(), begin()
    first, second = await accept(store, new(), new())
    assert await found(keeper) == [first, second]
    [third] = await accept(store, new())
    assert await found(other) == [first, second]
    await keeper.follower.settle()
    assert await found(other) == [first, second, third]
    await keeper.close()
    [fourth] = await accept(store, new())
    assert await found(other) == [first, second, third, fourth]
    await other.close()


async def test_a_page_waits_for_what_was_just_done(begin: Open, store: Store) -> None:
    search = begin()
    search.start()
    for number in range(1, 4):
        await accept(store, new())
        page = await search.page(PageQuery())
        assert len(page.rows) == number
    await search.close()


@pytest.mark.parametrize("error", [StoreError("the disk is full"), RuntimeError("a mistake")])
async def test_an_error_does_not_end_it(
    begin: Open, store: Store, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, error: Exception
) -> None:
    search = begin()
    await found(search)
    changes, failed = store.feed.changes, list[str]()

    async def fail_once(mark: str) -> Any:
        if not failed:
            failed.append(mark)
            raise error
        return await changes(mark)

    monkeypatch.setattr(store.feed, "changes", fail_once)
    search.start()
    await accept(store, new())
    assert len((await search.page(PageQuery())).rows) == 1
    assert failed
    assert "not brought up to date" in caplog.text
    await search.close()


async def test_changes_are_told(store: Store, tmp_path: Path) -> None:
    told = list[int]()
    search = TaskSearch(store, tmp_path / "told.search", on_change=told.extend)
    await search.follower.settle()
    ids = await accept(store, new(), new())
    await search.follower.settle()
    assert set(told) >= set(ids)
    await search.close()


async def test_an_index_that_breaks_while_it_is_used_says_what_to_do(begin: Open, store: Store) -> None:
    search = begin()
    await accept(store, new())
    await found(search)
    search._file._write_connection.execute("DROP TABLE rows")
    with pytest.raises(StoreError, match="the tasks are safe"):
        await search.page(PageQuery())


async def test_a_file_of_another_program_is_left_alone(store: Store, tmp_path: Path) -> None:
    import sqlite3

    path = tmp_path / "other.db"
    other = sqlite3.connect(path)
    other.execute("PRAGMA application_id = 77")
    other.execute("CREATE TABLE t (a)")
    other.close()
    with pytest.raises(StoreError, match="another program"):
        TaskSearch(store, path)


async def test_a_feed_costs_nothing_unless_somebody_watches(engine: Engine, store: Store) -> None:
    feed = store.feed
    await accept(store, new())
    assert not (await feed.changes("")).whole
    await feed.watch("one", 60)
    mark = (await feed.changes("")).mark
    ids = await accept(store, new())
    changes = await feed.changes(mark)
    assert (changes.whole, list(changes.tasks)) == (True, list(ids))
    await feed.watch("two", 60)
    await feed.unwatch("one")
    assert (await feed.changes(mark)).whole
    await feed.unwatch("two")
    assert not (await feed.changes(mark)).whole
    await feed.watch("three", 60)
    assert not (await feed.changes(mark)).whole


async def test_a_watch_that_lapsed_says_that_changes_were_missed(store: Store) -> None:
    feed = store.feed
    await feed.watch("one", 60)
    mark = (await feed.changes("")).mark
    await feed.watch("one", -1)
    await accept(store, new())
    assert not (await feed.changes(mark)).whole
    await feed.watch("one", 60)
    again = await feed.changes(mark)
    assert not again.whole
    ids = await accept(store, new())
    assert list((await feed.changes(again.mark)).tasks) == list(ids)


async def test_what_a_killed_watcher_left_goes_with_the_next_run(tmp_path: Path) -> None:
    engine = Sqlite(tmp_path)
    store = await engine.open("first")
    await store.feed.watch("killed", -1)
    await store.close()
    again = await engine.open("second")
    reader = again._reader  # type: ignore[attr-defined]
    left = await reader.run(reader.fetch_value, "SELECT count(*) FROM sqlite_schema WHERE name LIKE 'feed%'")
    assert left == 0
    await engine.close()


async def test_documents_come_in_pieces(store: Store) -> None:
    ids = await accept(store, *(NewTask(route="route", document="x" * 4_000_000) for _ in range(3)))
    first = await store.feed.documents_after(0, 10)
    assert [number for number, _ in first] == list(ids[:2])
    assert [number for number, _ in await store.feed.documents_after(ids[1], 10)] == [ids[2]]
    assert await store.feed.documents_after(ids[2], 10) == []
