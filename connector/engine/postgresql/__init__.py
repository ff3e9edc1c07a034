"""The engine beyond one machine: any number of workers share the routes that one PostgreSQL keeps.

`pgqueuer` dispatches: its jobs name tasks, are taken by one worker each, and are given anew when a worker's heartbeat
stops. Beside them stands the same journal as in the embedded engine, changed in the same transactions.
"""

from __future__ import annotations

from connector.engine.postgresql.store import PostgreSQLStore

__all__ = ["PostgreSQLStore"]
