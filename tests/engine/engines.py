"""Engines as the tests of their common contract see them: opened, killed, overtaken, with a clock that stands still."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import Protocol, cast

from connector.engine import Role, Store, StoreError, open_store
from connector.engine.sqlite.store import SqliteStore

__all__ = ["Clock", "Engine", "Sqlite"]


class Clock:
    """Seconds since 1970, as a test wants them."""

    def __init__(self, now: float = 1_700_000_000.0) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now


class Engine(Protocol):
    """A kind of store with a place of its own for one test."""

    clock: Clock
    many: int
    """How many tasks are many here, in a test that must not take long."""

    async def open(self, worker: str = "", role: Role = "runner") -> Store:
        """A store over what is kept; it is closed after the test unless it was before."""
        ...

    async def kill(self, store: Store) -> None:
        """What is left when the process is gone: nothing is given back, and others may take over at once."""
        ...

    async def overtake(self, store: Store) -> Store:
        """A second worker that has taken over what the first, which does not know, still holds."""
        ...

    async def close(self) -> None:
        """Closes what is open, and removes what was kept."""
        ...


class Sqlite:
    """A file."""

    many = 2000

    def __init__(self, folder: Path) -> None:
        self.clock = Clock()
        self.path = folder / "tasks.db"
        self.url = f"sqlite:///{self.path}"
        self._open: list[Store] = []

    async def open(self, worker: str = "", role: Role = "runner") -> Store:
        store = await open_store(self.url, worker=worker, clock=self.clock, role=role)
        self._open.append(store)
        return store

    async def kill(self, store: Store) -> None:
        self._open.remove(store)
        killed = cast("SqliteStore", store)
        await killed._writer.close()
        await killed._reader.close()
        killed._session.connection.close()
        killed._lock.close()

    async def overtake(self, store: Store) -> Store:
        # A disk that keeps no locks is what lets a second runner in.
        self.path.with_name("tasks.db.lock").unlink()
        cast("SqliteStore", store)._lock.database.unlock()
        return await self.open("second")

    async def close(self) -> None:
        for store in self._open:
            with suppress(StoreError):
                await store.close()
