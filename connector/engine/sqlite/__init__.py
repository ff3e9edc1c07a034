"""The embedded engine: SQLite through apsw, with nothing to install and one process that works."""

from __future__ import annotations

from connector.engine.sqlite.startup import open_sqlite

__all__ = ["open_sqlite"]
