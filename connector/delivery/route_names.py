"""The names of routes that another one implies, and what each stands for: see `route_spec`."""

from __future__ import annotations

__all__ = ["ANSWER", "BATCH", "ERROR", "GATHERED", "INCOMING", "INPUT", "is_intake", "parent_of"]

ANSWER, ERROR, GATHERED, BATCH = ":answer", ":error", ":gathered", ":batch"
INCOMING, INPUT = ":incoming", ":input"
ENDINGS = (INCOMING + GATHERED, ANSWER, ERROR, GATHERED, BATCH, INCOMING, INPUT)
"""What follows the name of the route that implies another; the longest first."""


def parent_of(name: str) -> tuple[str, str]:
    """Return the configured route that a name belongs to, and what it implies there; nothing for the route itself."""
    for ending in ENDINGS:
        if name.endswith(ending):
            return name.removesuffix(ending), ending
    return name, ""


def is_intake(name: str) -> bool:
    """Return whether a route of this name is implied for what is read."""
    return parent_of(name)[1].startswith((INCOMING, INPUT))
