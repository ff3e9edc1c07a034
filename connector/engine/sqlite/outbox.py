"""Lines that files are to end with, each once: kept until somebody says that they are on disk."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from connector.engine.change import Line
from connector.engine.sqlite.session import Session

__all__ = ["append", "forget"]

PLACE = "INSERT INTO places (name, length) VALUES (?, 0) ON CONFLICT DO NOTHING"
LENGTH = "INSERT INTO places (name, length) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET length = excluded.length"
LINE = "INSERT INTO lines SELECT ?, id, ? FROM places WHERE name = ?"
WRITTEN = "DELETE FROM lines WHERE place = (SELECT id FROM places WHERE name = ?) AND number <= ?"


def append(session: Session, lines: Sequence[Line]) -> None:
    """Keeps lines in their order."""
    session.execute_many(PLACE, [(place,) for place in {line.place for line in lines}])
    session.execute_many(LINE, [(session.new_line(), line.data, line.place) for line in lines])


def forget(session: Session, written: Mapping[str, tuple[int, int]]) -> None:
    """Lines that are on disk are kept no longer; the length of their file is."""
    session.execute_many(LENGTH, [(place, length) for place, (_, length) in written.items()])
    session.execute_many(WRITTEN, [(place, number) for place, (number, _) in written.items()])
