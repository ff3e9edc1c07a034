"""A divider in a PostgreSQL database: the division of `division.py` in one function, and one question for all limits.

Its tables are unlogged: after a crash of the database they are empty, and everything is divided anew.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from typing import Any

from connector.engine.postgresql.connection import SCHEMA, redact_url
from connector.extras import require_extra
from connector.fleet.divider import Ask, Away, Grant
from connector.fleet.functions import INSTALL, MARK, MARKED, MARKS
from connector.timing import SYSTEM, Timing

__all__ = ["EXCHANGED", "PostgreSQLDivider"]

LOCK = 0x6F70_666C_6565
PATIENCE = 1.0
"""Seconds for an answer; a later one is of no use, as the process goes on with its last share."""
OPENED = 10.0
AGAIN = 1.0
"""Seconds for the first connection, and between two tries to connect again."""

EXCHANGED = f"SELECT {SCHEMA}.exchange_shares($1, $2::jsonb, $3)"


class PostgreSQLDivider:
    """A divider for all processes that reach one database, over a connection of its own.

    Args:
        url: where the database is; its password is in no message.
        timing: a clock.
    """

    def __init__(self, url: str, *, timing: Timing = SYSTEM) -> None:
        self._postgres = require_extra("asyncpg", "postgresql", "limits over a fleet")
        self._url = url
        self._timing = timing
        self._connection: Any = None
        self._next_try = 0.0

    async def open(self) -> None:
        try:
            async with asyncio.timeout(OPENED):
                await self._connect()
        except (OSError, TimeoutError, self._postgres.PostgresError, self._postgres.InterfaceError) as error:
            raise Away(f"{redact_url(self._url)} cannot divide limits: {_first_line(error)}") from None

    async def exchange(self, process: str, asks: Sequence[Ask]) -> Sequence[Grant]:
        if not asks:
            return []
        given = [
            {"name": ask.limit, "flow": ask.per_second, "used": ask.used, "want": ask.want, "least": ask.least}
            for ask in asks
        ]
        found: dict[str, tuple[float, float]] = json.loads(
            await self._fetch(EXCHANGED, process, json.dumps(given), None)
        )
        return [Grant(*found[ask.limit]) for ask in asks]

    async def close(self) -> None:
        self._drop()

    async def _fetch(self, question: str, *values: object) -> str:
        try:
            async with asyncio.timeout(PATIENCE):
                connection = await self._connect()
                answer: str = await connection.fetchval(question, *values)
                return answer
        except (OSError, TimeoutError, self._postgres.PostgresError, self._postgres.InterfaceError) as error:
            self._drop()
            raise Away(f"{redact_url(self._url)}, which divides limits, is away: {_first_line(error)}") from None
        except BaseException:
            # What was asked may still be under way on this connection.
            self._drop()
            raise

    async def _connect(self) -> Any:
        if self._connection is None or self._connection.is_closed():
            if self._timing.clock() < self._next_try:
                raise ConnectionError("it will be tried again")
            self._next_try = self._timing.clock() + AGAIN
            connection = await self._postgres.connect(
                self._url,
                server_settings={"application_name": "openai-connector", "jit": "off", "synchronous_commit": "off"},
                statement_cache_size=0,
            )
            try:
                await _install(connection)
            except BaseException:
                connection.terminate()
                raise
            self._connection = connection
        return self._connection

    def _drop(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.terminate()


async def _install(connection: Any) -> None:
    """Make the tables and functions where they are not yet, one process at a time."""
    if await connection.fetchval(MARKED) == MARK:
        return
    async with connection.transaction():
        await connection.execute("SELECT pg_advisory_xact_lock($1)", LOCK)
        await connection.execute(INSTALL)
        await connection.execute(MARKS)


def _first_line(error: BaseException) -> str:
    said = str(error).strip().splitlines()
    return said[0] if said else f"no answer within {PATIENCE:g} s"
