"""The lock holds the file, whatever it is called, and a file that is not what it was is never taken for it."""

from __future__ import annotations

import asyncio
import errno
import os
import shutil
import subprocess
import sys
from asyncio.subprocess import PIPE, Process
from pathlib import Path

import apsw
import pytest

from connector.engine import Store, StoreBroken, StoreError, StoreFull, TaskState, open_store
from connector.engine.sqlite import database_file, identity, lock
from tests.engine.engines import Sqlite
from tests.engine.kit import accept, counts, finish, lease_one, new

RUNS = """
import asyncio, os, sys
from connector.engine import Change, NewTask, StoreError
from connector.engine import open_store

async def main():
    try:
        store = await open_store("sqlite:///" + sys.argv[1])
    except StoreError as error:
        print(error, flush=True)
        sys.exit(7)
    await store.commit(Change(accept=[NewTask(route="route", document=1, key=sys.argv[2])]))
    print("runs", flush=True)
    sys.stdin.readline()
    os.kill(os.getpid(), 9)

asyncio.run(main())
"""


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lock, "PATIENCE", 0.05)


async def runs(path: Path, key: str = "a", *before: str) -> tuple[Process, str]:
    """Return a process that opens the file as a runner does, and its first line."""
    command = [*before, sys.executable, "-c", RUNS, str(path), key]
    process = await asyncio.create_subprocess_exec(*command, stdin=PIPE, stdout=PIPE)
    assert process.stdout is not None
    return process, (await process.stdout.readline()).decode().strip()


async def killed(process: Process) -> None:
    process.kill()
    await process.wait()


def url(path: Path) -> str:
    return f"sqlite:///{path}"


async def refused(path: Path) -> str:
    """Return why a runner and one that looks after the file are both sent away."""
    with pytest.raises(StoreError) as found:
        await open_store(url(path))
    return str(found.value)


async def test_a_symbolic_link_is_the_file(engine: Sqlite, tmp_path: Path) -> None:
    link = tmp_path / "link.db"
    link.symlink_to(engine.path)
    await engine.open()
    assert "works on it, and only one can" in await refused(link)
    process, told = await runs(link)
    assert f"process {os.getpid()} on" in told
    assert await process.wait() == 7


async def test_a_link_to_a_folder_is_the_folder(engine: Sqlite, tmp_path: Path) -> None:
    folder = tmp_path / "elsewhere"
    folder.symlink_to(engine.path.parent)
    await engine.open()
    assert "works on it, and only one can" in await refused(folder / "tasks.db")


@pytest.mark.parametrize("role", ["runner", "admin"])
async def test_a_file_of_two_names_is_refused_under_both(engine: Sqlite, role: str) -> None:
    second = engine.path.with_name("second.db")
    store = await engine.open()
    await accept(store, new())
    os.link(engine.path, second)
    with pytest.raises(StoreError, match=r"second\.db: the file has 2 names \(hard links\)"):
        await open_store(url(second), role=role)  # type: ignore[arg-type]
    await store.close()
    assert "has 2 names" in await refused(engine.path)
    second.unlink()
    assert await counts(await engine.open()) == {TaskState.NEW: 1}


async def test_a_file_that_was_renamed_under_a_runner_is_its_own_still(engine: Sqlite) -> None:
    process, told = await runs(engine.path)
    assert told == "runs"
    other = engine.path.rename(engine.path.with_name("other.db"))
    assert "works on it, and only one can" in await refused(other)
    await killed(process)
    assert f"its last commits are in {engine.path}-wal; move that along, to {other}-wal" in await refused(other)
    engine.path.with_name("tasks.db-wal").rename(other.with_name("other.db-wal"))
    store = await open_store(url(other))
    assert await counts(store) == {TaskState.NEW: 1}
    await store.close()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can mount")
async def test_a_file_that_is_mounted_by_itself_is_refused(engine: Sqlite, tmp_path: Path) -> None:
    inside = tmp_path / "inside.db"
    inside.touch()
    await (await engine.open()).close()
    script = 'mount --bind "$0" "$1" && shift && shift && exec "$@"'
    wrapped = ["unshare", "-m", "sh", "-c", script, str(engine.path), str(inside), str(inside)]
    if subprocess.run([*wrapped[:-1], str(inside), "true"], check=False, capture_output=True).returncode:  # noqa: ASYNC221
        pytest.skip("mounting is not allowed here")
    process, told = await runs(inside, "a", *wrapped)
    assert "mounted by itself, without the log" in told
    assert await process.wait() == 7


async def test_the_lock_holds_where_links_and_mounts_cannot_be_told(
    engine: Sqlite, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As between two containers, each of which sees its own names alone."""
    monkeypatch.setattr(database_file, "check_location", lambda _: None)
    monkeypatch.setattr("connector.engine.sqlite.startup.check_location", lambda _: None)
    process, told = await runs(engine.path)
    assert told == "runs"
    second = engine.path.with_name("second.db")
    os.link(engine.path, second)
    assert "another process works on it" in await refused(second)
    await killed(process)


@pytest.mark.parametrize("how", ["removed", "renamed", "replaced"])
async def test_a_runner_whose_file_is_gone_stops(engine: Sqlite, how: str) -> None:
    store = await engine.open()
    await accept(store, new())
    if how == "removed":
        engine.path.unlink()
    elif how == "renamed":
        engine.path.rename(engine.path.with_name("elsewhere.db"))
    else:
        copy = engine.path.with_name("copy.db")
        shutil.copy(engine.path, copy)
        copy.replace(engine.path)
    for _ in range(2):
        with pytest.raises(StoreBroken, match=r"tasks\.db: the file was moved, removed or replaced"):
            await accept(store, new())


@pytest.mark.parametrize("left", ["nothing", "an empty file", "the log"])
async def test_a_database_that_is_gone_is_not_begun_anew(engine: Sqlite, left: str) -> None:
    store = await engine.open()
    await accept(store, new(), new())
    await engine.kill(store)
    engine.path.unlink()
    if left != "the log":
        engine.path.with_name("tasks.db-wal").unlink()
    if left == "an empty file":
        engine.path.touch()
    what = "it is empty" if left == "an empty file" else "it is not there any more"
    for role in ("runner", "admin"):
        with pytest.raises(StoreError, match=f"{what}, though earlier runs kept [12] tasks in it; .* `run --new`"):
            await engine.open(role=role)  # type: ignore[arg-type]
    fresh = await open_store(engine.url, new=True)
    assert await counts(fresh) == {}
    await fresh.close()
    await engine.open()


async def test_an_older_copy_is_not_taken_for_the_database(engine: Sqlite, tmp_path: Path) -> None:
    store = await engine.open()
    await accept(store, new())
    await store.close()
    shutil.copy(engine.path, tmp_path / "older.db")
    again = await engine.open()
    task = await lease_one(again)
    await finish(again, task.id)
    await again.close()
    shutil.copy(tmp_path / "older.db", engine.path)
    assert "an older copy of the database" in await refused(engine.path)
    await (await engine.open(role="admin")).close()
    taken = await open_store(engine.url, new=True)
    assert await counts(taken) == {TaskState.NEW: 1}
    await taken.close()
    await engine.open()


async def test_a_backup_put_in_the_place_of_the_database_is_an_older_copy(engine: Sqlite, tmp_path: Path) -> None:
    store = await engine.open()
    await accept(store, new())
    await store.backup(tmp_path / "backup.db")
    await finish(store, (await lease_one(store)).id)
    await store.close()
    (tmp_path / "backup.db").replace(engine.path)
    assert "an older copy of the database" in await refused(engine.path)
    taken = await open_store(engine.url, new=True)
    await taken.close()
    await engine.open()


async def test_a_backup_under_a_name_of_its_own_goes_on(engine: Sqlite, tmp_path: Path) -> None:
    store = await engine.open()
    await accept(store, new())
    await store.backup(tmp_path / "backup.db")
    copy = await open_store(url(tmp_path / "backup.db"))
    assert await counts(copy) == {TaskState.NEW: 1}
    await copy.close()


async def test_another_database_in_its_place_is_refused(engine: Sqlite, tmp_path: Path) -> None:
    await (await engine.open()).close()
    other = await open_store(url(tmp_path / "other.db"))
    await other.close()
    (tmp_path / "other.db").replace(engine.path)
    assert "another database than the one" in await refused(engine.path)


async def test_changes_that_were_undone_are_no_sign_of_a_newer_database(engine: Sqlite) -> None:
    store = await engine.open()
    with pytest.raises(StoreError):
        await accept(store, new(), new(key="\ud800"))
    await store.close()
    await engine.open()


async def test_a_kill_before_the_first_commit_is_no_database_that_was_lost(engine: Sqlite) -> None:
    held = lock.Lock(engine.path)
    engine.path.touch()
    held.database.open()
    held.acquire()
    held.close()
    await engine.open()


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EIO, errno.EROFS, errno.EDQUOT])
async def test_a_disk_that_fails_at_the_start_is_one_to_wait_for(
    engine: Sqlite, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    def fails(*_: object) -> int:
        raise OSError(number, os.strerror(number))

    with monkeypatch.context() as patched:
        patched.setattr(os, "open", fails)
        with pytest.raises(StoreFull, match=os.strerror(number).lower()):
            await engine.open()
    await engine.open()


async def test_whoever_looks_after_a_file_leaves_the_locks_of_a_runner_alone(engine: Sqlite) -> None:
    runner = await engine.open()
    await (await engine.open(role="admin")).close()
    await accept(runner, new())
    # SQLite holds a shared lock on the file as long as a connection is open; another process would see it free.
    script = (
        "import fcntl, sys; f = open(sys.argv[1], 'r+b');fcntl.lockf(f, fcntl.LOCK_EX | fcntl.LOCK_NB, 510, 0x40000002)"
    )
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", script, str(engine.path), stderr=PIPE)
    await process.communicate()
    assert process.returncode != 0, "the runner's lock was lost"
    await runner.close()


async def test_a_copy_knows_that_it_is_one_until_a_run_works_on_it(engine: Sqlite, tmp_path: Path) -> None:
    store = await engine.open()
    await store.backup(tmp_path / "copy.db")

    def marked() -> bool:
        connection = apsw.Connection(str(tmp_path / "copy.db"))
        records = connection.execute("SELECT key FROM records WHERE space = ?", (identity.SPACE,)).fetchall()
        connection.close()
        return ("copy",) in records

    assert marked()
    copy: Store = await open_store(url(tmp_path / "copy.db"))
    await copy.close()
    assert not marked()
