"""The operations of the API, a module a topic; each has a `router`."""

from __future__ import annotations

__all__ = ["TOPICS"]

TOPICS = (
    "audit",
    "events",
    "overview",
    "routes",
    "session",
)
"""The modules below this package, each with a router; a new topic is a new line."""
