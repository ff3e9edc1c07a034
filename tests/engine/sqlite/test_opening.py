"""A file is opened by one runner, is nobody else's to read, and is refused by name when it cannot be used."""

from __future__ import annotations

import asyncio
import os
import socket
import stat
import sys
from asyncio.subprocess import PIPE
from pathlib import Path
from typing import cast

import apsw
import pytest

from connector.engine import StoreBroken, StoreError, TaskState, open_store
from connector.engine.sqlite import lock
from connector.engine.sqlite.schema import V1, VERSION
from connector.engine.sqlite.store import SqliteStore
from connector.errors import ConfigurationError
from tests.engine.engines import Sqlite
from tests.engine.kit import accept, counts, finish, lease_one, new

HOLD = """
import fcntl, json, os, sys
file = os.open(sys.argv[1], os.O_RDWR | os.O_CREAT)
fcntl.flock(file, fcntl.LOCK_EX)
os.write(file, json.dumps({"pid": os.getpid(), "host": "elsewhere", "since": "2026-01-01T00:00:00+00:00"}).encode())
print("held", flush=True)
sys.stdin.read()
"""


async def test_files_are_private(engine: Sqlite) -> None:
    store = await engine.open()
    await accept(store, new())
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in engine.path.parent.iterdir()}
    assert modes == dict.fromkeys(["tasks.db", "tasks.db-wal", "tasks.db-shm", "tasks.db.lock"], 0o600)


async def test_settings_are_as_they_are_meant(engine: Sqlite) -> None:
    store = cast("SqliteStore", await engine.open())
    meant = {
        "journal_mode": "wal",
        "synchronous": 2,
        "wal_autocheckpoint": 0,
        "journal_size_limit": 64 * 2**20,
        "cache_size": -32 * 2**10,
        "temp_store": 2,
    }
    for connection, reading in ((store._session.connection, 0), (store._reader._connection, 1)):
        found = {name: connection.pragma(name) for name in [*meant, "query_only"]}
        assert found == {**meant, "query_only": reading}


async def test_a_second_runner_is_told_who_works(engine: Sqlite, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lock, "PATIENCE", 0.05)
    store = await engine.open()
    told = f"tasks.db: process {os.getpid()} on {socket.gethostname()}, since .* works on it, and only one can"
    with pytest.raises(StoreError, match=told):
        await engine.open()
    await store.close()
    await engine.open()


async def test_another_process_is_told_by_its_number_and_its_death_frees_the_file(
    engine: Sqlite, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lock, "PATIENCE", 0.05)
    command = [sys.executable, "-c", HOLD, f"{engine.path}.lock"]
    process = await asyncio.create_subprocess_exec(*command, stdin=PIPE, stdout=PIPE)
    assert process.stdout is not None
    assert await process.stdout.readline() == b"held\n"
    with pytest.raises(StoreError, match=f"process {process.pid} on elsewhere, since 2026-01-01"):
        await engine.open()
    process.kill()
    await process.wait()
    await engine.open()


async def test_a_lock_that_says_nothing_still_holds(engine: Sqlite, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lock, "PATIENCE", 0.05)
    await engine.open()
    engine.path.with_name("tasks.db.lock").write_text("torn {")
    with pytest.raises(StoreError, match="another process works on it"):
        await engine.open()


async def test_damage_is_refused_by_name(engine: Sqlite) -> None:
    store = await engine.open()
    await accept(store, *(new({"text": "x" * 500}) for _ in range(100)))
    await store.close()
    data = bytearray(engine.path.read_bytes())
    data[4096 * 3 : 4096 * 6] = b"\xff" * 4096 * 3
    engine.path.write_bytes(data)
    with pytest.raises(StoreBroken, match=r"tasks\.db: damaged .* put a backup in its place"):
        await engine.open()


async def test_what_is_no_database_is_refused_and_left_alone(engine: Sqlite) -> None:
    engine.path.write_text("my diary, " * 1000)
    with pytest.raises(StoreBroken, match=r"tasks\.db: damaged"):
        await engine.open()
    assert engine.path.read_text() == "my diary, " * 1000


async def test_the_database_of_another_program_is_refused_and_left_alone(engine: Sqlite) -> None:
    other = apsw.Connection(str(engine.path))
    other.execute("CREATE TABLE mine (a)")
    other.close()
    before = engine.path.read_bytes()
    with pytest.raises(StoreError, match="a database of another program; name another file"):
        await engine.open()
    assert engine.path.read_bytes() == before


async def test_a_newer_schema_is_refused_by_name(engine: Sqlite) -> None:
    await (await engine.open()).close()
    newer = apsw.Connection(str(engine.path))
    newer.pragma("user_version", VERSION + 5)
    newer.close()
    for role in ("runner", "admin"):
        told = rf"written by a newer version \(schema {VERSION + 5}; this one knows up to {VERSION}\)"
        with pytest.raises(StoreError, match=told):
            await engine.open(role=role)


async def test_an_admin_does_not_change_tables_under_a_runner_of_an_older_version(engine: Sqlite) -> None:
    older = apsw.Connection(str(engine.path))
    older.execute(V1)
    older.execute(f"PRAGMA user_version = 1; PRAGMA application_id = {0x6F616963}")
    older.close()
    held = lock.Lock(engine.path)
    held.acquire()
    try:
        with pytest.raises(StoreError, match="an older version works on it"):
            await engine.open(role="admin")
    finally:
        held.release()
    await engine.open(role="admin")


@pytest.mark.parametrize("url", ["mysql://host/x", "sqlite://", "sqlite:///", "tasks.db"])
async def test_other_urls_are_refused(url: str) -> None:
    with pytest.raises(ConfigurationError, match="sqlite:///FILE"):
        await open_store(url)


async def test_a_folder_that_is_not_there_is_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match=r"nowhere/tasks\.db: the engine cannot open it: no such file or directory"):
        await open_store(f"sqlite:///{tmp_path / 'nowhere' / 'tasks.db'}")


async def test_a_relative_file_is_below_the_working_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    store = await open_store("sqlite:///here.db")
    await store.close()
    assert (tmp_path / "here.db").exists()


async def test_what_was_cut_off_is_ready_when_the_next_one_opens(engine: Sqlite) -> None:
    store = await engine.open()
    await accept(store, *(new() for _ in range(10)))
    await store.lease("route", 5)
    await finish(store, (await lease_one(store)).id)
    await engine.kill(store)
    again = await engine.open()
    assert await counts(again) == {"waiting": 5, "new": 4, "finished": 1}
    assert [task.state for task in await again.lease("route", 99)] == [TaskState.PROCESSING] * 9
