"""The embedded engine: SQLite through apsw, for one process that works on the tasks."""

from __future__ import annotations

from connector.engine.sqlite.startup import open_sqlite

__all__ = ["open_sqlite"]
