"""What is reserved of budgets, over all workers: made with the intents of calls, gone with their ends."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any

from connector.engine.change import Change, Expense
from connector.engine.postgresql.connection import Connection
from connector.engine.postgresql.rows import to_columns
from connector.engine.store import BudgetExceeded
from connector.engine.tasks import ENDS, TaskState

__all__ = ["drop_reservations", "read_reserved", "read_spent", "settle_reservations"]

SPENT = """
SELECT coalesce(sum(tokens), 0)::bigint AS tokens, coalesce(sum(cost), 0) AS cost FROM spent
WHERE name = $1 AND minute >= $2
"""
RESERVED = """
SELECT coalesce(sum(tokens), 0)::bigint AS tokens, coalesce(sum(cost), 0) AS cost FROM (
    SELECT tokens, cost FROM reserved_sums WHERE name = $1
    UNION ALL SELECT tokens, cost FROM reserved WHERE name = $1 AND doubtful AND minute >= $2
) AS each
"""
DOUBTFUL = """
SELECT coalesce(sum(tokens), 0)::bigint AS tokens, coalesce(sum(cost), 0) AS cost FROM reserved
WHERE name = $1 AND doubtful AND minute >= $2
"""
RESERVE = """
INSERT INTO reserved (task, attempt, number, name, minute, tokens, cost)
SELECT * FROM unnest($1::bigint[], $2::integer[], $3::integer[], $4::text[], $5::bigint[], $6::bigint[], $7::float8[])
"""
GIVEN = "unnest($1::bigint[], $2::integer[], $3::integer[]) AS given (t, a, n)"
SAME = "task = given.t AND attempt = given.a AND number = given.n"
CONCERNED = f"""
SELECT DISTINCT name FROM reserved JOIN {GIVEN} ON {SAME}
UNION SELECT DISTINCT name FROM reserved WHERE task = ANY($4::bigint[])
"""  # noqa: S608  of this module's own text
RELEASE = f"DELETE FROM reserved USING {GIVEN} WHERE {SAME} RETURNING name, tokens, cost, doubtful"  # noqa: S608
DOUBT = f"""
UPDATE reserved SET doubtful = true FROM {GIVEN} WHERE {SAME} AND NOT doubtful
RETURNING name, tokens, cost, false AS doubtful
"""  # noqa: S608
DOUBT_ALL = """
UPDATE reserved SET doubtful = true WHERE task = ANY($1::bigint[]) AND NOT doubtful
RETURNING name, tokens, cost, false AS doubtful
"""
DROP = """
DELETE FROM reserved WHERE task = ANY($1::bigint[]) AND (NOT doubtful OR $2) RETURNING name, tokens, cost, doubtful
"""
HOLD = """
INSERT INTO reserved_sums AS known
SELECT * FROM unnest($1::text[], $2::bigint[], $3::bigint[], $4::float8[]) AS given (name, calls, tokens, cost)
ON CONFLICT (name) DO UPDATE SET calls = known.calls + excluded.calls, tokens = known.tokens + excluded.tokens,
    cost = CASE known.calls + excluded.calls WHEN 0 THEN 0 ELSE known.cost + excluded.cost END
"""
LOCK = "SELECT pg_advisory_xact_lock(hashtextextended('budget ' || $1, 0))"
MINUTE = 60
UNKNOWN = "unknown"


class _Sums:
    """How much more is held of each budget."""

    def __init__(self) -> None:
        self._sums: dict[str, list[float]] = defaultdict(lambda: [0, 0, 0.0])

    def add(self, name: str, calls: int, tokens: int, cost: float) -> None:
        place = self._sums[name]
        place[0], place[1], place[2] = place[0] + calls, place[1] + tokens, place[2] + cost

    def take(self, rows: Iterable[Any]) -> None:
        """Take away what is released; what was doubtful is not held."""
        for row in rows:
            if not row["doubtful"]:
                self.add(row["name"], -1, -row["tokens"], -row["cost"])

    def of(self, name: str) -> tuple[int, float]:
        return int(self._sums[name][1]), self._sums[name][2]

    async def write(self, connection: Connection) -> None:
        rows = [(name, int(calls), int(tokens), cost) for name, (calls, tokens, cost) in sorted(self._sums.items())]
        if rows:
            await connection.execute(HOLD, *to_columns(rows, 4))


async def settle_reservations(connection: Connection, changes: Sequence[Change]) -> None:
    """Release what was reserved for calls that end, and reserve for those that begin.

    Raise BudgetExceeded when a budget has not enough left. Whoever touches a budget waits until all others that did
    have committed, so that no two workers take the same rest.
    """
    ends = [end for change in changes for end in change.end if not end.pending]
    gone = [(end.task, end.attempt, end.number) for end in ends if end.state != UNKNOWN]
    doubtful = [(end.task, end.attempt, end.number) for end in ends if end.state == UNKNOWN]
    settled = [one for change in changes for one in change.settle if one.state in ENDS]
    ended = [one.task for one in settled]
    names = {one.name for change in changes for one in change.reserve}
    if ends or ended:
        keys: Sequence[Any] = to_columns([*gone, *doubtful], 3) if ends else ([], [], [])
        names |= {row["name"] for row in await connection.fetch(CONCERNED, *keys, ended)}
    if not names:
        return
    for name in sorted(names):
        await connection.execute(LOCK, name)
    sums = _Sums()
    for statement, rows in ((RELEASE, gone), (DOUBT, doubtful)):
        if rows:
            sums.take(await connection.fetch(statement, *to_columns(rows, 3)))
    if ended:
        sums.take(await connection.fetch(DOUBT_ALL, [one.task for one in settled if one.state is TaskState.UNKNOWN]))
        sums.take(await connection.fetch(DROP, ended, False))
    await _reserve(connection, changes, sums)
    await sums.write(connection)


async def _reserve(connection: Connection, changes: Sequence[Change], sums: _Sums) -> None:
    rows: list[tuple[Any, ...]] = []
    known: dict[tuple[str, float], tuple[Expense, Expense]] = {}
    for one in (each for change in changes for each in change.reserve):
        place = one.name, one.since
        if place not in known:
            known[place] = (
                await read_spent(connection, one.name, one.since),
                await read_reserved(connection, one.name, one.since),
            )
        spent, reserved = known[place]
        for other in (each for change in changes for each in change.spent):
            if other.name == one.name and other.at >= one.since:
                spent = _add(spent, other.tokens, other.cost)
        reserved = _add(reserved, *sums.of(one.name))
        if not one.fits(spent, reserved):
            doubtful = await _read(connection, DOUBTFUL, one.name, one.since)
            raise BudgetExceeded(one, spent, reserved, doubtful)
        sums.add(one.name, 1, one.tokens, one.cost)
        rows.append((one.task, one.attempt, one.number, one.name, int(one.at // MINUTE), one.tokens, one.cost))
    if rows:
        await connection.execute(RESERVE, *to_columns(rows, 7))


async def drop_reservations(connection: Connection, tasks: Sequence[int], *, doubtful: bool = False) -> None:
    """Release all that was reserved for tasks that have ended; what is doubtful only when that is said."""
    if not tasks:
        return
    sums = _Sums()
    sums.take(await connection.fetch(DROP, list(tasks), doubtful))
    await sums.write(connection)


async def read_spent(connection: Connection, name: str, since: float) -> Expense:
    """Return what was used of a budget since a time."""
    return await _read(connection, SPENT, name, since)


async def read_reserved(connection: Connection, name: str, since: float) -> Expense:
    """Return what is reserved of a budget."""
    return await _read(connection, RESERVED, name, since)


async def _read(connection: Connection, question: str, name: str, since: float) -> Expense:
    row: Any = await connection.fetchrow(question, name, int(since // MINUTE))
    return Expense(name=name, at=since, tokens=row["tokens"], cost=row["cost"])


def _add(one: Expense, tokens: int, cost: float) -> Expense:
    return Expense(name=one.name, at=one.at, tokens=one.tokens + tokens, cost=one.cost + cost)
