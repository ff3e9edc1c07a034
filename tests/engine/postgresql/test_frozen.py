"""A worker that is frozen within a transaction keeps the others waiting for moments, and goes on when it thaws."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from asyncio.subprocess import PIPE
from collections.abc import AsyncGenerator

import asyncpg
import pytest

from connector.engine import Change, NewTask
from connector.engine.postgresql import PostgreSQLStore, connection
from connector.engine.postgresql.connection import SCHEMA
from tests.engine.kit import counts
from tests.engine.postgres import Database

FREEZES = """
import asyncio, os, signal, sys
from connector.engine import Change, NewTask, failpoints
from connector.engine.postgresql import PostgreSQLStore, connection

connection.IDLE = "1s"
frozen = []

def point(name):
    if name == "postgresql.commit.before" and not frozen:
        frozen.append(name)
        print("frozen", flush=True)
        os.kill(os.getpid(), signal.SIGSTOP)

async def main():
    store = await PostgreSQLStore.open(sys.argv[1])
    failpoints.reach = point
    found = await store.commit(Change(accept=[NewTask(route="route", document=1, key="same")]))
    print(list(found.accepted), flush=True)
    await store.close()

asyncio.run(main())
"""


@pytest.fixture
async def url(postgres: Database) -> AsyncGenerator[str, None]:
    url = await postgres.url()
    yield url
    connection = await asyncpg.connect(url)
    await connection.execute(f"DROP SCHEMA IF EXISTS {SCHEMA} CASCADE")
    await connection.close()


async def test_a_frozen_transaction_is_ended_and_done_again(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "IDLE", "1s")
    store = await PostgreSQLStore.open(url)
    frozen = await asyncio.create_subprocess_exec(sys.executable, "-c", FREEZES, url, stdout=PIPE)
    assert frozen.stdout is not None
    try:
        assert await frozen.stdout.readline() == b"frozen\n"
        async with asyncio.timeout(40):  # command_timeout is 60
            found = await store.commit(Change(accept=[NewTask(route="route", document=1, key="same")]))
        assert found.accepted[0], "the frozen one has not taken it"
        os.kill(frozen.pid, signal.SIGCONT)
        assert await frozen.stdout.readline() == b"[0]\n", "thawed, it does it again, and finds that it is there"
        assert await frozen.wait() == 0
        assert await counts(store) == {"new": 1}
    finally:
        if frozen.returncode is None:
            frozen.kill()
        await store.close()
