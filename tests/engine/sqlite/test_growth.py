"""The file, its log and the time that things take stay bounded, whatever has passed through."""

from __future__ import annotations

import asyncio
from pathlib import Path

import apsw
import pytest

from connector.engine import Carrier, Change, Filter, Settlement, Store, StoreError, TaskState, open_store
from connector.engine.sqlite import writer
from connector.engine.sqlite.reader import build_selection
from tests.engine.disk import recording
from tests.engine.engines import Sqlite
from tests.engine.kit import accept, call, counts, end, finish, lease_one, new


async def pass_through(store: Store, tasks: int) -> None:
    """Tasks with a call each come to their end."""
    await accept(store, *(new({"text": "x" * 500}) for _ in range(tasks)))
    for leased in [await store.lease("route", tasks)]:
        await store.commit(Change(intend=[call(task.id, request="y" * 500) for task in leased]))
        ends = [end(task.id, outcome="z" * 500) for task in leased]
        settled = [Settlement(task=task.id, state=TaskState.FINISHED) for task in leased]
        await store.commit(Change(end=ends, settle=settled))


async def test_what_was_purged_is_used_again(engine: Sqlite) -> None:
    store = await engine.open()
    sizes: list[int] = []
    for _ in range(6):
        await pass_through(store, 300)
        assert await store.purge(Filter()) == 300
        await store.close()
        sizes.append(engine.path.stat().st_size)
        store = await engine.open()
    assert sizes[-1] == sizes[1]
    opened = apsw.Connection(str(engine.path))
    try:
        for table in ("tasks", "documents", "calls", "ends"):
            assert opened.execute(f"SELECT count(*) FROM {table}").get == 0, table
    finally:
        opened.close()


async def test_the_log_stays_small(engine: Sqlite, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writer, "CHECKPOINT_PAGES", 100)
    store = await engine.open()
    log = engine.path.with_name("tasks.db-wal")
    for _ in range(20):
        await pass_through(store, 50)
    assert log.stat().st_size < 400 * 4200
    assert engine.path.stat().st_size > 500_000


async def test_the_log_is_small_again_after_a_long_reader(engine: Sqlite, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writer, "CHECKPOINT_PAGES", 100)
    monkeypatch.setattr(writer, "RETRY_PAGES", 50)
    store = await engine.open()
    await pass_through(store, 10)
    reader = apsw.Connection(str(engine.path))
    reader.execute("BEGIN; SELECT * FROM meta").fetchall()
    pages: list[int] = []
    watch = store._writer._checkpoints  # type: ignore[attr-defined]
    for _ in range(10):
        await pass_through(store, 50)
        pages.append(watch._pages)
    assert pages == sorted(pages), "it grows while somebody reads what was"
    reader.close()
    for _ in range(4):
        await pass_through(store, 50)
    assert watch._pages < pages[0] * 3


async def test_changes_at_a_time_share_one_sync(engine: Sqlite) -> None:
    with recording() as disk:
        store = await engine.open()
        await accept(store, new())
        before = len(disk.log)
        await asyncio.gather(*(accept(store, new()) for _ in range(400)))
        syncs = sum(event.kind == "sync" for event in disk.log[before:])
        await store.close()
    assert syncs < 20


async def test_lists_do_not_keep_commits_waiting(engine: Sqlite) -> None:
    store = await engine.open()
    await accept(store, new())
    entered, leave = asyncio.Event(), asyncio.Event()
    loop = asyncio.get_running_loop()

    def slow() -> None:
        loop.call_soon_threadsafe(entered.set)
        asyncio.run_coroutine_threadsafe(leave.wait(), loop).result()

    reader = store._reader  # type: ignore[attr-defined]
    listing = asyncio.create_task(reader.run(slow))
    await entered.wait()
    await accept(store, new())
    assert not listing.done()
    leave.set()
    await listing


@pytest.mark.parametrize(
    "wanted",
    [
        Filter(states=[TaskState.FAILED]),
        Filter(states=[TaskState.UNKNOWN, TaskState.FAILED], reason="x"),
        Filter(states=[TaskState.NEW, TaskState.WAITING]),
        Filter(key="k"),
        Filter(ids=[1, 2]),
    ],
)
async def test_lists_do_not_go_through_all_tasks(engine: Sqlite, wanted: Filter) -> None:
    store = await engine.open()
    await accept(store, new(), new(route="b"))
    connection = store._reader._connection  # type: ignore[attr-defined]
    selection = build_selection(wanted, [1, 2])
    values = {**selection.values, "after": 0, "limit": 10}
    for sql in selection.queries:
        plan = [row[3] for row in connection.execute(f"EXPLAIN QUERY PLAN {sql}", values)]
        assert any(step.startswith("SEARCH t USING") for step in plan)
        assert not [step for step in plan if "(rowid>?)" in step or step.startswith("SCAN documents") or "TEMP" in step]


async def test_lists_of_hundreds_of_routes(engine: Sqlite) -> None:
    store = await engine.open()
    ids = await accept(store, *(new(route=f"r{number}") for number in range(300)))
    assert [task.id for task in await store.tasks(Filter(states=[TaskState.NEW]), after=ids[9], limit=5)] == ids[10:15]


@pytest.mark.parametrize("change", ["retry", "skip", "purge"])
async def test_what_was_meant_is_looked_at_again_when_it_is_done(
    engine: Sqlite, monkeypatch: pytest.MonkeyPatch, change: str
) -> None:
    """Between the question and the change a task may have been leased."""
    store = await engine.open()
    [task] = await accept(store, new())
    await lease_one(store)
    reader = store._reader  # type: ignore[attr-defined]
    monkeypatch.setattr(reader, "task_ids", lambda wanted, after, limit, also="": [] if after else [task])
    work = {"retry": store.retry(Filter()), "skip": store.skip(Filter(), ""), "purge": store.purge(Filter())}
    for name, one in work.items():
        if name != change:
            one.close()
    assert await work[change] == 0
    await finish(store, task)
    assert await counts(store) == {"finished": 1}


async def test_a_member_that_was_carried_meanwhile_is_not_skipped(
    engine: Sqlite, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = await engine.open()
    [task] = await accept(store, new())
    await lease_one(store)
    await store.commit(Change(carry=[Carrier(carrier=new(route="batch"), members=[task])]))
    reader = store._reader  # type: ignore[attr-defined]
    monkeypatch.setattr(reader, "task_ids", lambda wanted, after, limit, also="": [] if after else [task])
    assert await store.skip(Filter(), "") == 0
    assert await counts(store) == {"waiting": 1}


async def test_many_ticks_are_forgotten(engine: Sqlite, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("connector.engine.sqlite.journal.CLAIMS", 5)
    store = await engine.open()
    for tick in range(20):
        assert await store.claim("nightly", str(tick))
    connection = store._reader._connection  # type: ignore[attr-defined]
    assert connection.execute("SELECT count(*) FROM claims").get == 5
    assert not await store.claim("nightly", "19")


async def test_a_backup_comes_to_its_end_though_there_is_a_commit_at_every_step(
    engine: Sqlite, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = await engine.open()
    await accept(store, *(new({"text": "x" * 3000}) for _ in range(50)))
    loop = asyncio.get_running_loop()
    steps: list[str] = []

    def commit_meanwhile(name: str) -> None:
        if name == "sqlite.backup.step":
            steps.append(name)
            assert len(steps) < 500, "it starts anew with every commit"
            asyncio.run_coroutine_threadsafe(accept(store, new()), loop).result()

    monkeypatch.setattr("connector.engine.sqlite.backup.PAGES", 5)
    monkeypatch.setattr("connector.engine.failpoints.reach", commit_meanwhile)
    await store.backup(tmp_path / "copy.db")
    copy = await open_store(f"sqlite:///{tmp_path / 'copy.db'}")
    assert await counts(copy) == {"new": 50}
    await copy.close()
    assert await counts(store) == {"new": 50 + len(steps)}
    assert (tmp_path / "copy.db").stat().st_mode & 0o777 == 0o600
    assert not (tmp_path / "copy.db.partial").exists()


async def test_a_backup_replaces_an_earlier_one_whole_but_never_the_database(engine: Sqlite, tmp_path: Path) -> None:
    store = await engine.open()
    await accept(store, new())
    for _ in range(2):
        await store.backup(tmp_path / "copy.db")
    with pytest.raises(StoreError, match="the database itself"):
        await store.backup(engine.path)
    with pytest.raises(StoreError, match=r"nowhere/copy\.db.*: no such file or directory"):
        await store.backup(tmp_path / "nowhere" / "copy.db")
    assert await counts(store) == {"new": 1}
