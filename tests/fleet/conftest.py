"""The database of the session, for dividers in PostgreSQL."""

from __future__ import annotations

from tests.engine.conftest import postgres

__all__ = ["postgres"]
