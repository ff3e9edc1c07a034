"""The engine beyond one machine: any number of workers share the routes that one PostgreSQL keeps.

`pgqueuer` dispatches: its jobs name tasks, are taken by one worker each, and are taken again when a worker's heartbeat
stops. The journal beside them is that of the embedded engine, written in the same transactions.
"""

from __future__ import annotations

from connector.engine.postgresql.store import PostgreSQLStore

__all__ = ["PostgreSQLStore"]
