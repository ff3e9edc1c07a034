"""Named places in the protocol where a test can make the process crash; in production nothing happens there."""

from __future__ import annotations

__all__ = ["reach"]


def reach(name: str) -> None:
    """Mark a place where a crash is worth trying.

    Call it as `failpoints.reach(...)`: a test harness replaces the function before or after other modules are imported.
    """
    del name
