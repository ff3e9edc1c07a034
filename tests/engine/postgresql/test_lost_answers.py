"""The answer to a commit is lost: the commit is there once, whatever the server made of it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Generator
from typing import Any

import asyncpg
import pytest
from asyncpg.transaction import Transaction

from connector.engine.postgresql import PostgreSQLStore
from connector.engine.postgresql.connection import SCHEMA
from connector.engine.postgresql.writer import NUMBER
from tests.engine.kit import accept, counts, new
from tests.engine.postgresql.cluster import Cluster

PATIENCE = 120
CRASHES = 10
WAITS = "SELECT EXISTS (SELECT FROM pg_locks WHERE NOT granted)"
FULL_AT_FIRST = f"""
CREATE SEQUENCE {SCHEMA}.tries;
CREATE FUNCTION {SCHEMA}.be_full() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    IF nextval('{SCHEMA}.tries') <= 2 THEN RAISE EXCEPTION 'no space left' USING ERRCODE = '53100'; END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER be_full BEFORE INSERT ON {SCHEMA}.commits FOR EACH ROW EXECUTE FUNCTION {SCHEMA}.be_full();
"""
"""Sequences go on in transactions that are rolled back."""
Lose = Callable[[Any, Callable[[], Awaitable[None]]], Awaitable[None]]


@pytest.fixture(scope="module")
def cluster() -> Generator[Cluster, None, None]:
    made = Cluster()
    made.start()
    yield made
    made.remove()


@pytest.fixture
async def store(cluster: Cluster) -> AsyncGenerator[PostgreSQLStore, None]:
    store = await PostgreSQLStore.open(cluster.url)
    yield store
    await store.close()
    await run(cluster, f"DROP SCHEMA {SCHEMA} CASCADE")


@pytest.fixture
def lose(monkeypatch: pytest.MonkeyPatch) -> Callable[[Lose], None]:
    """Let the answer of the next commit be lost; what happens to the commit is the test's to say."""
    commit = Transaction.commit

    def lose_next(happen: Lose) -> None:
        async def lost(transaction: Any) -> None:
            monkeypatch.setattr(Transaction, "commit", commit)
            await happen(transaction._connection, lambda: commit(transaction))
            raise ConnectionResetError("the answer was lost")

        monkeypatch.setattr(Transaction, "commit", lost)

    return lose_next


async def run(cluster: Cluster, statements: str) -> None:
    connection = await asyncpg.connect(cluster.url)
    await connection.execute(statements)
    await connection.close()


async def test_a_commit_that_was_made_is_not_repeated(store: PostgreSQLStore, lose: Callable[[Lose], None]) -> None:
    async def happen(_: Any, commit: Callable[[], Awaitable[None]]) -> None:
        await commit()

    for number in range(1, 4):
        lose(happen)
        [task] = await accept(store, new({"n": number}))
        assert await store.task(task)
        assert await counts(store) == {"new": number}


async def test_a_commit_that_a_crash_took_is_repeated_when_another_has_its_number(
    cluster: Cluster, store: PostgreSQLStore, lose: Callable[[Lose], None]
) -> None:
    """To `pg_xact_status` the other's commit is the lost one, which would be counted as made."""
    seen: list[str] = []

    async def happen(connection: Any, _: Any) -> None:
        number = await connection.fetchval("SELECT pg_current_xact_id()::text")
        await asyncio.to_thread(cluster.stop)
        await asyncio.to_thread(cluster.start)
        other = await asyncpg.connect(cluster.url)
        async with other.transaction():
            await other.execute("SELECT pg_current_xact_id()")
        seen.append(await other.fetchval("SELECT pg_xact_status($1::text::xid8)", number))
        await other.close()

    async with asyncio.timeout(PATIENCE):
        while "committed" not in seen and len(seen) < CRASHES:
            lose(happen)
            [task] = await accept(store, new({}))
            assert await store.task(task)
            assert await counts(store) == {"new": len(seen)}
    assert "committed" in seen, "the server never gave a number again"


async def test_a_commit_under_way_is_waited_for(
    cluster: Cluster, store: PostgreSQLStore, lose: Callable[[Lose], None]
) -> None:
    """A transaction that writes the same number stands for the first, so its tasks are never written."""
    committer = store._committer
    other = await asyncpg.connect(cluster.url, server_settings={"search_path": SCHEMA})
    ends: list[asyncio.Task[None]] = []

    async def finish() -> None:
        while not await other.fetchval(WAITS):
            pass
        await other.execute("COMMIT")

    async def happen(connection: Any, _: Any) -> None:
        await connection.execute("ROLLBACK")
        await other.execute("BEGIN")
        await other.execute(NUMBER, committer.name, committer._number)
        ends.append(asyncio.create_task(finish()))

    lose(happen)
    async with asyncio.timeout(PATIENCE):
        [task] = await accept(store, new({}))
        await asyncio.gather(*ends)
    assert task
    assert await counts(store) == {}
    await other.close()


async def test_a_fault_while_it_is_asked_says_nothing_about_the_commit(
    cluster: Cluster, store: PostgreSQLStore, lose: Callable[[Lose], None]
) -> None:
    """A server without space would otherwise be taken at its word that nothing was done."""

    async def happen(_: Any, commit: Callable[[], Awaitable[None]]) -> None:
        await commit()
        await run(cluster, FULL_AT_FIRST)

    lose(happen)
    [task] = await accept(store, new({}))
    assert await store.task(task)
    assert await counts(store) == {"new": 1}
    connection = await asyncpg.connect(cluster.url)
    assert await connection.fetchval(f"SELECT last_value FROM {SCHEMA}.tries") == 3
    await connection.close()


async def test_a_committer_leaves_no_number_behind(cluster: Cluster) -> None:
    """Its own goes with it, and those of processes that were killed a month ago."""
    store, other = await PostgreSQLStore.open(cluster.url), await PostgreSQLStore.open(cluster.url)
    await accept(store, new({}))
    await accept(other, new({}))
    connection = await asyncpg.connect(cluster.url, server_settings={"search_path": SCHEMA})
    await connection.execute("INSERT INTO commits VALUES ('killed', 7, now() - interval '31 days')")
    await connection.execute("INSERT INTO commits VALUES ('frozen', 7, now() - interval '29 days')")
    await store.close()
    left = {row["committer"] for row in await connection.fetch("SELECT committer FROM commits")}
    assert left == {"frozen", other._committer.name}
    await other.close()
    await connection.close()
    await run(cluster, f"DROP SCHEMA {SCHEMA} CASCADE")
