"""Of the live tasks of one order key, one at a time has its turn: the oldest, unless a later one is under way."""

from __future__ import annotations

from collections.abc import Iterable

from connector.engine.sqlite.codes import CARRIED, DUE, HELD, LEASED, READY
from connector.engine.sqlite.session import Session

__all__ = ["take_turns"]

# The conditions repeat those of the indexes `turn` and `held`, so that they are used.
TURN = "SELECT id, queue FROM tasks WHERE route = ? AND ord = ? AND ord IS NOT NULL AND queue > 0 AND queue <> 3"
NEXT = "SELECT id FROM tasks WHERE route = ? AND ord = ? AND ord IS NOT NULL AND queue = 3 ORDER BY id LIMIT 1"
HOLD = f"UPDATE tasks SET queue = {HELD} WHERE id = ?"
GO = f"UPDATE tasks SET queue = iif(due > 0, {DUE}, {READY}) WHERE id = ?"


def take_turns(session: Session, orders: Iterable[tuple[int, str | None]]) -> None:
    """Gives each of these orders of a route its turn anew, after whatever has happened to their tasks."""
    for route, order in orders:
        waits = session.one(NEXT, (route, order))
        if not waits:
            continue
        turn = session.one(TURN, (route, order))
        if turn:
            if turn[1] in (CARRIED, LEASED) or turn[0] < waits[0]:
                continue
            session.execute(HOLD, (turn[0],))
        session.execute(GO, (waits[0],))
        session.news = True
