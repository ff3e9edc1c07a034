"""The tasks of a worker that was killed go on with another one within ten seconds of the end of its lease."""

from __future__ import annotations

import asyncio
import time

import pytest

from connector.engine import Change, NewTask, Task
from connector.engine.postgresql import PostgreSQLStore
from connector.runtime.housekeeping import POLL, watch_store

LEASE = 1.0


class Crew:
    """A worker that leases when it is woken."""

    def __init__(self, store: PostgreSQLStore) -> None:
        self.store = store
        self.taken: asyncio.Future[tuple[Task, float]] = asyncio.get_running_loop().create_future()
        self._leasing: list[asyncio.Task[None]] = []

    def wake(self) -> None:
        self._leasing.append(asyncio.create_task(self._lease()))

    async def _lease(self) -> None:
        for task in await self.store.lease("route", 1):
            self.taken.set_result((task, time.monotonic()))


@pytest.mark.long
async def test_a_dead_workers_task_is_taken_over(postgres) -> None:
    assert POLL < 10
    url = await postgres.url()
    dead, alive = [await PostgreSQLStore.open(url, worker=name, patience=LEASE) for name in ("dead", "alive")]
    await dead.commit(Change(accept=[NewTask(route="route", document={"a": 1})]))
    leased = await dead.lease("route", 1)
    ends = time.monotonic() + LEASE
    await dead._listener.close()
    dead._pool._pool.terminate()
    crew = Crew(alive)
    watching = asyncio.create_task(watch_store(crew, alive))
    try:
        task, taken = await asyncio.wait_for(crew.taken, 60)
    finally:
        watching.cancel()
        await alive.close()
    assert [task.id] == [each.id for each in leased]
    assert taken - ends < 10
