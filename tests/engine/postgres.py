"""A PostgreSQL for tests: where one is, a database of the session's own in it, and an engine for each test."""

from __future__ import annotations

import os
from contextlib import suppress
from typing import Any, cast

import asyncpg
import pytest

from connector.engine import Role, Store, StoreError
from connector.engine.postgresql import PostgreSQLStore
from connector.engine.postgresql.connection import SCHEMA
from tests.engine.engines import Clock

__all__ = ["Database", "PostgreSQL", "server"]

PLACES = (
    "postgresql://root@127.0.0.1:5432/postgres",
    "postgresql://postgres@127.0.0.1:5432/postgres",
    "postgresql:///postgres?host=/var/run/postgresql",
)
REQUIRED = "CONNECTOR_REQUIRE_SERVICES"


async def server() -> str:
    """The URL of a server that lets us in; skips where there is none, unless there must be one."""
    given = os.environ.get("CONNECTOR_TEST_POSTGRES")
    for url in (given,) if given else PLACES:
        with suppress(OSError, asyncpg.PostgresError):
            connection = await asyncpg.connect(url, timeout=5)
            await connection.close()
            return url
    said = "no PostgreSQL lets us in; name one in CONNECTOR_TEST_POSTGRES"
    if os.environ.get(REQUIRED) or given:
        pytest.fail(said)
    pytest.skip(said)


class Database:
    """A database that is empty at first and gone afterwards."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._server = ""

    async def url(self) -> str:
        """Where it is; made when it is asked for first."""
        if not self._server:
            self._server = await server()
            await self._run(f'DROP DATABASE IF EXISTS "{self._name}" WITH (FORCE)')
            await self._run(f'CREATE DATABASE "{self._name}"')
        head, _, tail = self._server.partition("?")
        return head.rpartition("/")[0] + f"/{self._name}" + (f"?{tail}" if tail else "")

    async def drop(self) -> None:
        if self._server:
            await self._run(f'DROP DATABASE IF EXISTS "{self._name}" WITH (FORCE)')

    async def _run(self, statement: str) -> None:
        connection = await asyncpg.connect(self._server)
        await connection.execute(statement)
        await connection.close()


EMPTY = f"""
DO $$ DECLARE name text; BEGIN
    FOR name IN SELECT tablename FROM pg_tables WHERE schemaname = '{SCHEMA}' AND tablename <> 'versions' LOOP
        EXECUTE format('DELETE FROM {SCHEMA}.%I', name);
    END LOOP;
END $$
"""
"""A few rows are gone faster one by one than with their tables."""


class _Told(PostgreSQLStore):
    """A store to which the test's clock is the database's as well: jobs come nearer by as much as it has gone on."""

    clock: Clock
    seen: float

    async def lease(self, route: str, most: int, *, limit: int = 0) -> Any:
        await self._pass_time()
        return await super().lease(route, most, limit=limit)

    async def lease_task(self, task: int) -> Any:
        await self._pass_time()
        return await super().lease_task(task)

    async def _pass_time(self) -> None:
        if (passed := self.clock() - self.seen) > 0:
            self.seen = self.clock()
            await self._query(
                lambda link: link.execute(
                    f"UPDATE {SCHEMA}.pgqueuer SET execute_after = execute_after - make_interval(secs => $1)", passed
                )
            )


class PostgreSQL:
    """The tables of one database."""

    many = 300

    def __init__(self, url: str) -> None:
        self.url = url
        self.clock = Clock()
        self._open: list[PostgreSQLStore] = []

    async def open(self, worker: str = "", role: Role = "runner") -> Store:
        store = await _Told.open(self.url, worker=worker, wall=self.clock, runs=role == "runner")
        store.clock, store.seen = self.clock, self.clock()
        self._open.append(store)
        return store

    async def kill(self, store: Store) -> None:
        killed = cast("PostgreSQLStore", store)
        self._open.remove(killed)
        await killed._listener.close()
        if killed._pool._pool is not None:
            killed._pool._pool.terminate()
        await self._silence()

    async def overtake(self, store: Store) -> Store:
        await self._silence()
        return await self.open("second")

    async def _silence(self) -> None:
        """As if no heartbeat had come for long."""
        await self.run(f"UPDATE {SCHEMA}.pgqueuer SET heartbeat = now() - interval '1 hour'")

    async def run(self, statement: str) -> None:
        connection = await asyncpg.connect(self.url)
        await connection.execute(statement)
        await connection.close()

    async def close(self) -> None:
        for store in self._open:
            with suppress(StoreError):
                await store.close()
        await self.run(EMPTY)
