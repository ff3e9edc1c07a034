"""The disk is full, fails or cannot be written: nothing that was told is lost, and work goes on when it can."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from random import Random

import apsw
import pytest

from connector.engine import Change, Fenced, Filter, Settlement, StoreBroken, StoreFull, TaskState
from connector.engine.sqlite import writer
from tests.engine.disk import Disk, Event, recording
from tests.engine.engines import Sqlite
from tests.engine.kit import accept, call, counts, end, finish, lease_one, new


@pytest.fixture
def disk() -> Iterator[Disk]:
    with recording() as watched:
        yield watched


def failing(code: int, when: Callable[[Event], bool]) -> Callable[[Event], None]:
    """Fails with one of SQLite's codes."""

    def fails(event: Event) -> None:
        if when(event):
            raise apsw.exception_for(code)

    return fails


def writes(event: Event) -> bool:
    return event.kind == "write"


@pytest.mark.parametrize(
    ("code", "sentence"),
    [
        (apsw.SQLITE_FULL, "the disk is full; nothing was done"),
        (apsw.SQLITE_IOERR_WRITE, "the disk failed .* nothing was done"),
        (apsw.SQLITE_READONLY, "read-only; nothing was done"),
    ],
)
async def test_work_goes_on_when_there_is_space_again(disk: Disk, engine: Sqlite, code: int, sentence: str) -> None:
    store = await engine.open()
    [task, other] = await accept(store, new({"n": 1}, key="k"), new())
    await lease_one(store)
    disk.fails = failing(code, writes)
    settled = Change(
        intend=[call(task)],
        end=[end(task)],
        settle=[Settlement(task=task, state=TaskState.FINISHED)],
        accept=[new({"n": 2}, key="l")],
        cursors={"feed": 1},
    )
    for _ in range(3):
        with pytest.raises(StoreFull, match=sentence):
            await store.commit(settled)
        with pytest.raises(StoreFull):
            await store.lease("route", 1)
    assert await counts(store) == {"processing": 1, "new": 1}
    assert await store.cursor("feed") is None
    assert await store.renew_leases([task, other]) == [other]
    disk.fails = lambda _: None
    await store.commit(settled)
    assert (await lease_one(store)).id == other
    kept = await store.task(task)
    assert kept is not None
    assert (kept.state, len(kept.calls), await store.cursor("feed")) == (TaskState.FINISHED, 1, 1)


async def test_failures_at_any_write_lose_nothing_that_was_told(
    disk: Disk, engine: Sqlite, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writer, "CHECKPOINT_PAGES", 40)
    store = await engine.open()
    chance, failures, told = Random(3), 0, []
    codes = [apsw.SQLITE_FULL, apsw.SQLITE_IOERR_WRITE]
    disk.fails = lambda event: failing(chance.choice(codes), lambda _: writes(event) and chance.random() < 0.02)(event)
    for number in range(200):
        while True:
            try:
                [task] = await accept(store, new({"n": number, "text": "x" * 300}, key=str(number)))
                break
            except StoreFull:
                failures += 1
        assert task, "a change that failed was done all the same"
        told.append(task)
    assert failures > 10
    disk.fails = lambda _: None
    await engine.kill(store)
    again = await engine.open()
    assert [task.id for task in await again.lease("route", 1000)] == told
    assert again._session.connection.pragma("integrity_check") == "ok"  # type: ignore[attr-defined]


async def test_a_full_disk_fails_all_who_share_the_transaction(disk: Disk, engine: Sqlite) -> None:
    store = await engine.open()
    disk.fails = failing(apsw.SQLITE_FULL, writes)
    results = await asyncio.gather(*(accept(store, new()) for _ in range(20)), return_exceptions=True)
    assert {type(result) for result in results} == {StoreFull}
    assert len({id(result) for result in results}) == 20
    disk.fails = lambda _: None
    assert await counts(store) == {}


async def test_a_route_that_was_first_named_in_a_failure_is_known_later(disk: Disk, engine: Sqlite) -> None:
    store = await engine.open()
    disk.fails = failing(apsw.SQLITE_FULL, writes)
    with pytest.raises(StoreFull):
        await accept(store, new(route="first"))
    disk.fails = lambda _: None
    ids = [*await accept(store, new(route="second")), *await accept(store, new(route="first"))]
    assert [(task.id, task.route) for task in await store.tasks(Filter())] == [(ids[0], "second"), (ids[1], "first")]


async def test_a_failed_sync_ends_the_store_and_another_one_goes_on(disk: Disk, engine: Sqlite) -> None:
    store = await engine.open()
    [task] = await accept(store, new())
    await lease_one(store)
    disk.fails = failing(apsw.SQLITE_IOERR_FSYNC, lambda event: event.kind == "sync")
    with pytest.raises(StoreBroken, match="did not take what was written"):
        await finish(store, task)
    disk.fails = lambda _: None
    for _ in range(2):
        with pytest.raises(StoreBroken):
            await accept(store, new())
    before = len(disk.log)
    await store.close()
    assert disk.log[before:] == [], "a file that cannot be trusted was written to"
    again = await engine.open()
    kept = await again.task(task)
    assert kept is not None
    assert kept.state in (TaskState.WAITING, TaskState.FINISHED)
    await accept(again, new())


async def test_a_failed_sync_of_a_checkpoint_ends_the_store(
    disk: Disk, engine: Sqlite, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writer, "CHECKPOINT_PAGES", 10)
    store = await engine.open()
    disk.fails = failing(apsw.SQLITE_IOERR_FSYNC, lambda event: (event.kind, event.file) == ("sync", "tasks.db"))
    told: list[int] = []

    async def work() -> None:
        for _ in range(100):
            told.extend(await accept(store, new()))

    with pytest.raises(StoreBroken):
        await work()
    disk.fails = lambda _: None
    await store.close()
    again = await engine.open()
    assert [task.id for task in await again.lease("route", 1000)][: len(told)] == told
    assert told


async def test_a_checkpoint_that_finds_no_space_is_tried_again(
    disk: Disk, engine: Sqlite, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writer, "CHECKPOINT_PAGES", 10)
    monkeypatch.setattr(writer, "RETRY_PAGES", 5)
    store = await engine.open()
    disk.fails = failing(apsw.SQLITE_FULL, lambda event: (event.kind, event.file) == ("write", "tasks.db"))
    for _ in range(30):
        await accept(store, new())
    synced = sum((event.kind, event.file) == ("sync", "tasks.db") for event in disk.log)
    disk.fails = lambda _: None
    for _ in range(30):
        await accept(store, new())
    assert sum((event.kind, event.file) == ("sync", "tasks.db") for event in disk.log) > synced
    assert await counts(store) == {"new": 60}


async def test_closing_with_a_full_disk_leaves_it_to_the_next_one(disk: Disk, engine: Sqlite) -> None:
    store = await engine.open()
    [task] = await accept(store, new())
    await lease_one(store)
    disk.fails = failing(apsw.SQLITE_FULL, writes)
    await store.close()
    disk.fails = lambda _: None
    again = await engine.open()
    assert (await lease_one(again)).id == task


async def test_a_full_disk_at_the_start_is_a_sentence(disk: Disk, engine: Sqlite) -> None:
    disk.fails = failing(apsw.SQLITE_FULL, writes)
    with pytest.raises(StoreFull, match=r"tasks\.db: the disk is full"):
        await engine.open()
    disk.fails = lambda _: None
    await accept(await engine.open(), new())


async def test_fenced_is_told_to_all_from_then_on(engine: Sqlite) -> None:
    store = await engine.open()
    await engine.overtake(store)
    for _ in range(2):
        with pytest.raises(Fenced, match="another runner"):
            await accept(store, new())


@pytest.mark.parametrize("nth", range(2, 12))  # the first is of the empty file, before it keeps anything
async def test_a_sync_that_fails_while_a_file_is_made_is_never_passed_over(
    disk: Disk, engine: Sqlite, nth: int
) -> None:
    seen: list[Event] = []

    def fails(event: Event) -> None:
        if event.kind == "sync" and event.file in ("tasks.db", "tasks.db-wal"):
            seen.append(event)
            if len(seen) == nth:
                raise apsw.exception_for(apsw.SQLITE_IOERR_FSYNC)

    disk.fails = fails
    try:
        store = await engine.open()
    except StoreBroken:
        assert len(seen) == nth
    else:
        assert len(seen) < nth, "it was passed over"
        await store.close()
