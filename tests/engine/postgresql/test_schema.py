"""Tables of earlier versions are brought up to date with what is in them; those of later ones are refused."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator

import asyncpg
import pytest

from connector.engine import Filter, StoreError
from connector.engine.postgresql import PostgreSQLStore
from connector.engine.postgresql.connection import SCHEMA
from connector.engine.postgresql.schema import VERSIONS
from tests.engine.kit import counts, lease_one
from tests.engine.postgres import Database

TASK = """
INSERT INTO tasks (id, route, state, document, key, version, ord, due, created, updated, trace, source, job)
VALUES (nextval('task_ids'), 'route', 'failed', '{"n": 1}', 'k', 'v', '', 0, 1, 1, '', 0, 0);
INSERT INTO counts VALUES ('route', 'failed', '', 1);
"""


@pytest.fixture
async def url(postgres: Database) -> AsyncGenerator[str, None]:
    url = await postgres.url()
    await run(url, f"DROP SCHEMA IF EXISTS {SCHEMA} CASCADE")
    yield url
    await run(url, f"DROP SCHEMA IF EXISTS {SCHEMA} CASCADE")


async def run(url: str, statements: str) -> None:
    connection = await asyncpg.connect(url)
    await connection.execute(statements)
    await connection.close()


@pytest.mark.parametrize("version", range(1, len(VERSIONS) + 1))
async def test_every_version_becomes_todays(url: str, version: int) -> None:
    made = "".join(
        f"{statements}; INSERT INTO versions VALUES ({n});" for n, statements in enumerate(VERSIONS[:version], 1)
    )
    head = f"CREATE SCHEMA {SCHEMA}; SET search_path TO {SCHEMA}; CREATE TABLE versions (version integer PRIMARY KEY);"
    await run(url, head + made + TASK)
    store = await PostgreSQLStore.open(url)
    [task] = await store.tasks(Filter())
    assert (task.document, task.key, task.state, task.retried) == ({"n": 1}, "k", "failed", 0)
    assert await store.retry(Filter()) == 1
    assert (await lease_one(store)).attempts == 1
    assert await counts(store) == {"processing": 1}
    await store.close()


async def test_a_later_version_is_refused_by_name(url: str) -> None:
    await (await PostgreSQLStore.open(url)).close()
    await run(url, f"INSERT INTO {SCHEMA}.versions VALUES (99)")
    with pytest.raises(StoreError, match="have version 99, and this connector knows up to"):
        await PostgreSQLStore.open(url)


async def test_many_that_start_at_a_time_make_the_tables_once(url: str) -> None:
    stores = await asyncio.gather(*(PostgreSQLStore.open(url) for _ in range(5)))
    assert await stores[0].counts() == {}
    for store in stores:
        await store.close()
