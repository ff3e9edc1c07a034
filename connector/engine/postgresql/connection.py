"""A pool of connections that outlives the loss of any, and the part of asyncpg that is used here, as protocols."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any, Protocol, TypeVar
from urllib.parse import urlsplit, urlunsplit

from connector.engine.store import StoreBroken, StoreError, StoreFull
from connector.extras import require_extra
from connector.resilience import Backoff
from connector.timing import SYSTEM, Timing

__all__ = ["SCHEMA", "Connection", "ConnectionPool", "Transaction", "Unreachable", "redact_url"]

SCHEMA = "openai_connector"


class Transaction(AbstractAsyncContextManager[None], Protocol):
    """A transaction."""

    async def start(self) -> None: ...

    async def commit(self) -> None: ...

    async def rollback(self) -> None: ...


class Connection(Protocol):
    """A connection; statements are prepared when they are first used."""

    async def execute(self, query: str, *values: object) -> str: ...

    async def fetch(self, query: str, *values: object) -> Sequence[Any]: ...

    async def fetchrow(self, query: str, *values: object) -> Any: ...

    async def fetchval(self, query: str, *values: object) -> Any: ...

    def transaction(self) -> Transaction: ...

    def get_server_version(self) -> Any: ...


Result = TypeVar("Result")
BACKOFF = Backoff(0.05, 5.0)
"""The delays between two tries while the server is away."""
IDLE = "3s"
"""How long a frozen process can keep its locks within a transaction."""
FULL = ("53100", "53200", "53400", "58030")
"""No space, no memory, a limit, an I/O error: the transaction was rolled back, and time may mend it."""
PASSING = ("40001", "40P01", "55P03")
AWAY = ("08", "57P", "25006", "25P03", "53300")
"""Prefixes of codes that mean: this connection is useless, another one may work."""


def redact_url(url: str) -> str:
    """Return the URL without its password."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    user = f"{parts.username}@" if parts.username else ""
    return urlunsplit((parts.scheme, f"{user}{host}{f':{parts.port}' if parts.port else ''}", parts.path, "", ""))


class Unreachable(StoreBroken):
    """The database was unreachable for too long."""


class ConnectionPool:
    """A pool of connections; operations are retried until the database is back.

    Args:
        url: where the database is; its password is in no message.
        patience: seconds for which a database that is away is waited for.
    """

    def __init__(self, url: str, *, patience: float = 600.0, timing: Timing = SYSTEM) -> None:
        self._postgres = require_extra("asyncpg", "postgresql", "an engine on PostgreSQL")
        self._url = url
        self.name = redact_url(url)
        self._patience = patience
        self._timing = timing
        self._pool: Any = None

    async def open(self, prepare: Callable[[Connection], Awaitable[None]]) -> None:
        """Connect and prepare the database; raise StoreError at once when it cannot be reached."""
        try:
            connection = await self.connect()
        except (OSError, self._postgres.PostgresError, self._postgres.InterfaceError, ValueError) as error:
            raise StoreError(f"{self.name} cannot be used: {_first_line(error)}") from None
        try:
            await prepare(connection)
        except self._postgres.PostgresError as error:
            raise StoreError(f"{self.name} cannot keep tasks: {_first_line(error)}") from None
        finally:
            connection.terminate()
        self._pool = await self._postgres.create_pool(
            self._url,
            min_size=1,
            max_size=6,
            server_settings={**self._settings, "idle_in_transaction_session_timeout": IDLE},
            command_timeout=60,
        )

    async def close(self) -> None:
        pool, self._pool = self._pool, None
        if pool is not None:
            try:
                async with asyncio.timeout(5):
                    await pool.close()
            except (TimeoutError, OSError, self._postgres.PostgresError, self._postgres.InterfaceError):
                pool.terminate()

    async def connect(self) -> Any:
        """Open a connection that the caller keeps and closes."""
        return await self._postgres.connect(self._url, server_settings=self._settings, timeout=10, command_timeout=60)

    @property
    def _settings(self) -> dict[str, str]:
        return {"search_path": SCHEMA, "application_name": "openai-connector", "jit": "off"}

    @asynccontextmanager
    async def acquire(self) -> AsyncGenerator[Connection, None]:
        """Borrow a connection of the pool."""
        if self._pool is None:
            raise StoreBroken("the store is closed")
        async with self._pool.acquire(timeout=10) as connection:
            yield connection

    async def retry(self, work: Callable[[], Awaitable[Result]]) -> Result:
        """Run work, again whenever the connection was lost before it was done."""
        until = self._timing.clock() + self._patience
        retries = 0
        while True:
            try:
                return await work()
            except (OSError, TimeoutError, self._postgres.PostgresError, self._postgres.InterfaceError) as error:
                if (fault := self._translate(error)) is not None:
                    raise fault from None
                if self._timing.clock() + BACKOFF.delay(retries) > until:
                    raise Unreachable(
                        f"{self.name} was away for {self._patience:.0f} s: {_first_line(error)}"
                    ) from None
            await self._timing.sleep(BACKOFF.delay(retries, self._timing.chance()))
            retries += 1

    def is_connection_loss(self, error: BaseException) -> bool:
        """Return whether an error leaves open whether a commit happened."""
        code = str(getattr(error, "sqlstate", None) or "")
        postgres = isinstance(error, self._postgres.PostgresError)
        return not postgres or code.startswith(("08", "57P"))

    def _translate(self, error: BaseException) -> StoreError | None:
        """Translate an error; return None for one that passes."""
        code = str(getattr(error, "sqlstate", None) or "")
        if isinstance(error, self._postgres.InterfaceError) and "closed" not in str(error):
            return StoreBroken(f"{self.name}: {_first_line(error)}")
        if not isinstance(error, self._postgres.PostgresError) or code in PASSING or code.startswith(AWAY):
            return None
        if code in FULL:
            return StoreFull(f"{self.name} has no room: {_first_line(error)}")
        return StoreBroken(f"{self.name}: {_first_line(error)}")


def _first_line(error: BaseException) -> str:
    lines = str(error).strip().splitlines()
    return lines[0] if lines else type(error).__name__
