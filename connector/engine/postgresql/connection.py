"""What is asked of a connection to the database: the part of asyncpg's that is used here, with its types."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from typing import Any, Protocol

__all__ = ["Connection", "Transaction"]


class Transaction(AbstractAsyncContextManager[None], Protocol):
    """All or nothing."""

    async def start(self) -> None: ...

    async def commit(self) -> None: ...

    async def rollback(self) -> None: ...


class Connection(Protocol):
    """One connection; statements are prepared when they are first used."""

    async def execute(self, query: str, *values: object) -> str: ...

    async def fetch(self, query: str, *values: object) -> Sequence[Any]: ...

    async def fetchrow(self, query: str, *values: object) -> Any: ...

    async def fetchval(self, query: str, *values: object) -> Any: ...

    def transaction(self) -> Transaction: ...

    def get_server_version(self) -> Any: ...
