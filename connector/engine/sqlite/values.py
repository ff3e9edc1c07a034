"""Cursors, records, what was spent, and who does what is due: small values beside the tasks."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from connector.engine.change import Spent
from connector.engine.sqlite.session import Session

__all__ = ["MINUTE", "claim", "put_cursors", "put_records", "spend"]

MINUTE = 60
"""Seconds whose spending is one row."""
CURSOR = "INSERT INTO cursors VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value"
RECORD = "INSERT INTO records VALUES (?, ?, ?) ON CONFLICT (space, key) DO UPDATE SET value = excluded.value"
SPENT = (
    "INSERT INTO spent VALUES (?, ?, ?, ?)"
    " ON CONFLICT (name, minute) DO UPDATE SET tokens = tokens + excluded.tokens, cost = cost + excluded.cost"
)
CLAIM = "INSERT INTO claims (name, tick) VALUES (?, ?) ON CONFLICT DO NOTHING RETURNING number"
OLD_CLAIMS = (
    "DELETE FROM claims WHERE name = ?1 AND number <="
    " (SELECT number FROM claims WHERE name = ?1 ORDER BY number DESC LIMIT 1 OFFSET ?2)"
)
CLAIMS = 1000
"""So many ticks of one name are remembered."""


def put_cursors(session: Session, cursors: Iterable[tuple[str, bytes | None]]) -> None:
    """Where readings go on; None forgets."""
    for name, value in cursors:
        if value is None:
            session.execute("DELETE FROM cursors WHERE name = ?", (name,))
        else:
            session.execute(CURSOR, (name, value))


def put_records(session: Session, records: Iterable[tuple[str, str, bytes | None]]) -> None:
    """Small values by space and key; None deletes."""
    for space, key, value in records:
        if value is None:
            session.execute("DELETE FROM records WHERE space = ? AND key = ?", (space, key))
        else:
            session.execute(RECORD, (space, key, value))


def spend(session: Session, spent: Sequence[Spent]) -> None:
    """Adds to what was used of budgets."""
    session.execute_many(SPENT, [(one.name, int(one.at // MINUTE), one.tokens, one.cost) for one in spent])


def claim(session: Session, name: str, tick: str) -> bool:
    """Whether nobody has claimed this tick before."""
    if not session.one(CLAIM, (name, tick)):
        return False
    session.execute(OLD_CLAIMS, (name, CLAIMS))
    return True
