"""What was committed moves from the log into the database, so that the log stays small."""

from __future__ import annotations

import apsw

from connector.engine import points
from connector.engine.sqlite.driver import Connection

__all__ = ["Checkpoints"]

ENOUGH = 4000
"""Pages in the log (16 MB) from which on they are moved."""
AGAIN = 1000
"""Pages that the log must have grown by before it is tried again, when a reader keeps it from being begun anew."""


class Checkpoints:
    """Empties the log when it has grown; by the hand of the writer, who alone can do so while there is much to do."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._pages = 0
        self._next = ENOUGH
        connection.set_wal_hook(self._grown)

    def keep_up(self) -> None:
        """Moves pages when there are enough; when that fails it is tried again after a while."""
        if self._pages < self._next:
            return
        self._next = self._pages + AGAIN
        points.point("sqlite.checkpoint.before")
        self._connection.wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_PASSIVE)
        points.point("sqlite.checkpoint.after")

    def _grown(self, connection: Connection, name: str, pages: int) -> int:
        """Told by SQLite how long the log is after a commit; it is short again once it was begun anew."""
        del connection, name
        if pages < self._pages:
            self._next = ENOUGH
        self._pages = pages
        return apsw.SQLITE_OK
