"""Named places in the protocol: nothing happens there, unless a test puts something else in the place of `point`."""

from __future__ import annotations

__all__ = ["point"]


def point(name: str) -> None:
    """Says that the process has come to a place where a crash would be worth trying.

    It is called as `points.point(...)`, so that a test harness can replace it before or after other modules are
    imported: with something that kills the process, say.
    """
    del name
