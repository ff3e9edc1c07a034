"""Version 2: tasks are found by their key; a task knows which of its calls a person has looked at."""

from __future__ import annotations

__all__ = ["STATEMENTS"]

STATEMENTS = """
ALTER TABLE tasks ADD COLUMN retried INTEGER NOT NULL DEFAULT 0;
CREATE INDEX by_key ON documents (key, id) WHERE key <> '';
"""
