"""The power goes at any place: what was told to be kept is there, and nothing is there by halves."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory

import apsw
import pytest

from connector.engine import Change, Expense, Line, NewTask, Settlement, Store, TaskState, open_store
from connector.engine.sqlite import connection, writer
from tests.engine.disk import Disk, recording
from tests.engine.kit import call, end

MEMORY = Path("/dev/shm")
COMMITS = 120


@pytest.fixture
def folder() -> Iterator[Path]:
    """Files that are read and written thousands of times here are kept in memory where that is possible."""
    with TemporaryDirectory(dir=MEMORY if MEMORY.is_dir() else None) as name:
        yield Path(name)


async def work(store: Store, disk: Disk, *, hasty: bool) -> None:
    """Commits of every kind; each leaves its number in a record, a cursor, a line and, by thirds, in tasks."""
    for number in range(COMMITS):
        beside = Change(
            records={("done", f"{number:04}"): number},
            cursors={"at": number},
            lines=[Line(place="out", data=b"%d\n" % number)],
            spent=[Expense(name="budget", at=0.0, tokens=1)],
        )
        if number % 3 == 0:
            beside.accept = [NewTask(route="r", document={"n": number, "text": "x" * 700}, key=str(number))]
        elif number % 3 == 1:
            [task] = await store.lease("r", 1)
            beside.intend = [call(task.id, request={"n": number})]
        else:
            beside.end = [end(task.id, outcome={"body": "y" * 900})]
            beside.settle = [Settlement(task=task.id, state=TaskState.FINISHED)]
        if hasty:
            disk.told(number)
        await store.commit(beside)
        disk.told(number)


async def recorded(folder: Path, *, hasty: bool = False) -> Disk:
    """What happened to the disk during the work; a hasty one tells before it commits."""
    with recording() as disk:
        store = await open_store(f"sqlite:///{folder / 'tasks.db'}", clock=lambda: 1_700_000_000.0)
        try:
            await work(store, disk, hasty=hasty)
        finally:
            await store.close()
    return disk


def faults(files: dict[str, bytes], told: set[int], folder: Path) -> list[str]:
    """What is wrong with the files as they were found."""
    for name in ("tasks.db", "tasks.db-wal", "tasks.db-journal", "tasks.db-shm"):
        (folder / name).unlink(missing_ok=True)
        if files.get(name):
            (folder / name).write_bytes(files[name])
    opened = apsw.Connection(str(folder / "tasks.db"))
    try:
        if opened.pragma("user_version") == 0:
            return [f"commit {number} is lost" for number in sorted(told)]
        return _faults(opened, told)
    except apsw.Error as error:
        return [f"{type(error).__name__}: {error}"]
    finally:
        opened.close()


def _faults(opened: apsw.Connection, told: set[int]) -> list[str]:
    def all_of(sql: str) -> list[tuple[object, ...]]:
        return opened.execute(sql).fetchall()

    keys = [str(key) for (key,) in all_of("SELECT key FROM records ORDER BY key")]
    done = [int(key) for key in keys if key.isdigit()]  # a damaged file can hold anything
    found = [f"commit {number} is lost" for number in sorted(told.difference(done))]
    if done != list(range(len(done))):
        found.append("a later commit is there without an earlier one")
    last = len(done) - 1
    accepted, intended, settled = (len([n for n in done if n % 3 == kind]) for kind in range(3))
    expected = {
        "SELECT value FROM cursors": [(str(last).encode(),)] if done else [],
        "SELECT count(*) FROM lines": [(len(done),)],
        "SELECT total(tokens) FROM spent": [(float(len(done)),)],
        "SELECT count(*) FROM tasks JOIN documents USING (id)": [(accepted,)],
        "SELECT count(*) FROM keys": [(accepted,)],
        "SELECT count(*) FROM calls": [(intended,)],
        "SELECT count(*) FROM ends": [(settled,)],
        "SELECT count(*) FROM tasks WHERE state = 3 AND queue = 0": [(settled,)],
        "SELECT total(tasks) FROM counts": [(float(accepted),)],
        "PRAGMA integrity_check": [("ok",)],
    }
    return [*found, *(f"{sql}: {rows}" for sql, rows in expected.items() if all_of(sql) != rows)]


@pytest.fixture(autouse=True)
def checkpoints_are_frequent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writer, "CHECKPOINT_PAGES", 60)
    monkeypatch.setattr(writer, "RETRY_PAGES", 20)


async def test_power_loss_anywhere_loses_nothing_that_was_told(folder: Path) -> None:
    disk = await recorded(folder)
    assert sum(event.kind == "sync" and event.file == "tasks.db" for event in disk.log) > 5, "no checkpoints"
    tried = 0
    for told, files in disk.losses(Random(1)):
        assert faults(files, told, folder) == []
        tried += 1
    assert tried > COMMITS * 3


async def test_the_whole_store_opens_after_a_power_loss_and_goes_on(folder: Path) -> None:
    disk = await recorded(folder)
    for told, files in disk.losses(Random(2), every=len(disk.log) // 10):
        for name in ("tasks.db", "tasks.db-wal"):
            (folder / name).write_bytes(files.get(name, b""))
        for name in ("tasks.db-shm", "tasks.db.lock"):
            (folder / name).unlink(missing_ok=True)
        store = await open_store(f"sqlite:///{folder / 'tasks.db'}", clock=lambda: 1_700_000_000.0)
        try:
            at = await store.cursor("at")
            assert at is None or at >= max(told, default=0)
            assert len(await store.records("done")) == (0 if at is None else at + 1) >= len(told)
            [again] = (await store.commit(Change(accept=[NewTask(route="r", document={"again": True})]))).accepted
            leased = await store.lease("r", 1000)
            assert again in [task.id for task in leased]
        finally:
            await store.close()


@pytest.mark.parametrize("mode", ["OFF", "NORMAL"])
async def test_without_syncing_the_same_check_finds_losses(
    folder: Path, monkeypatch: pytest.MonkeyPatch, mode: str
) -> None:
    monkeypatch.setattr(connection, "DURABLE", f"PRAGMA synchronous = {mode}")
    disk = await recorded(folder)
    found = [fault for told, files in disk.losses(Random(1), every=31) for fault in faults(files, told, folder)]
    assert any("is lost" in fault for fault in found)


async def test_telling_before_the_commit_is_found_by_the_same_check(folder: Path) -> None:
    disk = await recorded(folder, hasty=True)
    found = [faults(files, told, folder) for told, files in disk.losses(Random(1), every=7)]
    assert any(len(lost) == 1 and "is lost" in lost[0] for lost in found), "each time only the last one"
    assert all(len(lost) <= 1 for lost in found)
