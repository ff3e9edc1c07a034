"""Several workers that read the same documents at a time."""

from __future__ import annotations

import asyncio

import pytest

from tests.engine.kit import accept, new
from tests.engine.postgres import Database, PostgreSQL


@pytest.mark.parametrize("unique", ["key", "version"])
async def test_what_two_workers_see_at_a_time_is_taken_once(postgres: Database, unique: str) -> None:
    engine = PostgreSQL(await postgres.url())
    workers = [await engine.open("first"), await engine.open("second")]
    try:
        for n in range(20):
            keys = [f"{n}-{number}" for number in range(10)]
            documents = [new(key=key, unique=unique) for key in keys]
            taken = await asyncio.gather(*(accept(worker, *documents) for worker in workers))
            assert all(bool(one) is not bool(other) for one, other in zip(*taken, strict=True))
    finally:
        await engine.close()
