"""Version 3: a task knows how often in a row it was cut off before anything was sent."""

from __future__ import annotations

__all__ = ["STATEMENTS"]

STATEMENTS = "ALTER TABLE tasks ADD COLUMN cut_off INTEGER NOT NULL DEFAULT 0;"
