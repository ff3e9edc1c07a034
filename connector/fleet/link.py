"""A connection to the database that a fleet shares, which is opened again when it was lost."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

from connector.engine.postgresql.connection import redact_url
from connector.extras import require_extra
from connector.fleet.divider import Away
from connector.timing import SYSTEM, Timing

__all__ = ["Link"]

PATIENCE = 2.0
"""Seconds for an answer; a later one is of no use, as the process goes on with its last share."""
OPENED = 10.0
AGAIN = 1.0
"""Seconds for the first connection, and between two tries to connect again."""
FROZEN = "3s"
"""How long a frozen process can keep what it has locked."""

Result = TypeVar("Result")


class Link:
    """One connection of a process.

    Args:
        url: where the database is; its password is in no message.
        prepare: makes what is needed in the database.
        is_durable: whether what is written must outlive a crash of the database.
        timing: a clock.
    """

    def __init__(
        self,
        url: str,
        prepare: Callable[[Any], Awaitable[None]],
        *,
        is_durable: bool = False,
        timing: Timing = SYSTEM,
    ) -> None:
        self._postgres = require_extra("asyncpg", "postgresql", "limits over a fleet")
        self._faults = (
            OSError, TimeoutError, self._postgres.PostgresError, self._postgres.InterfaceError,
            self._postgres.InternalClientError,
        )  # fmt: skip
        self._url = url
        self._prepare = prepare
        self._settings = {
            "application_name": "openai-connector",
            "jit": "off",
            "synchronous_commit": "on" if is_durable else "off",
            "idle_in_transaction_session_timeout": FROZEN,
        }
        self._timing = timing
        self._connection: Any = None
        self._next_try = 0.0

    async def open(self) -> None:
        """Connect; raise Away when that is not possible."""
        try:
            async with asyncio.timeout(OPENED):
                await self._connect()
        except self._faults as error:
            raise Away(f"{redact_url(self._url)} cannot divide limits: {_first_line(error)}") from None

    async def run(self, work: Callable[[Any], Awaitable[Result]]) -> Result:
        """Run work on the connection; raise Away when it cannot be done, or not in time."""
        try:
            async with asyncio.timeout(PATIENCE):
                return await work(await self._connect())
        except self._faults as error:
            self.close()
            raise Away(f"{redact_url(self._url)}, which divides limits, is away: {_first_line(error)}") from None
        except BaseException:
            # What was asked may still be under way on this connection.
            self.close()
            raise

    def close(self) -> None:
        """Drop the connection; the next work opens another one."""
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.terminate()

    async def _connect(self) -> Any:
        if self._connection is None or self._connection.is_closed():
            if self._timing.clock() < self._next_try:
                raise ConnectionError("it will be tried again")
            self._next_try = self._timing.clock() + AGAIN
            connection = await self._postgres.connect(self._url, server_settings=self._settings, statement_cache_size=0)
            try:
                await self._prepare(connection)
            except BaseException:
                connection.terminate()
                raise
            self._connection = connection
        return self._connection


def _first_line(error: BaseException) -> str:
    said = str(error).strip().splitlines()
    return said[0] if said else f"no answer within {PATIENCE:g} s"
