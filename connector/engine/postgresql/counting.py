"""How many tasks are in which state: each worker counts on rows of its own, so that none waits for another."""

from __future__ import annotations

from collections import Counter

from connector.engine.postgresql.connection import Connection
from connector.engine.postgresql.rows import columns

__all__ = ["Counting", "fold"]

COUNT = """
INSERT INTO counts AS known (route, state, worker, number)
SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::bigint[])
ON CONFLICT (route, state, worker) DO UPDATE SET number = known.number + excluded.number
"""
FOLD = """
WITH gone AS (DELETE FROM counts WHERE worker = $1 RETURNING route, state, number)
INSERT INTO counts AS known (route, state, worker, number)
SELECT route, state, '', sum(number) FROM gone GROUP BY route, state ORDER BY route, state
ON CONFLICT (route, state, worker) DO UPDATE SET number = known.number + excluded.number
"""


class Counting:
    """What one transaction changes in the counts."""

    def __init__(self, worker: str) -> None:
        self._worker = worker
        self._changes: Counter[tuple[str, str]] = Counter()

    def add(self, route: str, state: str, number: int) -> None:
        self._changes[route, str(state)] += number

    def move(self, route: str, before: str, after: str) -> None:
        """One task goes from one state to another."""
        self.add(route, before, -1)
        self.add(route, after, 1)

    async def write(self, connection: Connection) -> None:
        rows = [(*place, self._worker, number) for place, number in sorted(self._changes.items()) if number]
        if rows:
            await connection.execute(COUNT, *columns(rows, 4))


async def fold(connection: Connection, worker: str) -> None:
    """Adds what a worker that ends has counted to what those before it have."""
    await connection.execute(FOLD, worker)
