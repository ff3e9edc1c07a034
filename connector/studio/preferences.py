"""What callers prefer (RFC 7240): to wait for an end, or not to."""

from __future__ import annotations

import re

from connector.studio.problems import Refused

__all__ = ["LONGEST", "read_wait", "responds_async"]

WAIT = re.compile(r"\s*wait\s*=\s*(\d{1,6})\s*", re.ASCII)
LONGEST = 60.0
"""Seconds for which a caller is kept waiting at most."""


def read_wait(prefer: str | None) -> float:
    """Return for how long the caller wants to wait; 0 without that wish."""
    for wish in (prefer or "").split(","):
        if found := WAIT.fullmatch(wish):
            return min(float(found[1]), LONGEST)
        if wish.strip().lower().startswith("wait"):
            raise Refused(422, f"the header Prefer says {wish.strip()!r}", "say how many seconds: wait=30")
    return 0.0


def responds_async(prefer: str | None) -> bool:
    """Return whether the caller does not want to wait."""
    return any(wish.strip().lower() == "respond-async" for wish in (prefer or "").split(","))
