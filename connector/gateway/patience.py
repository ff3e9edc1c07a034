"""How long the gateway waits for those who call it."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Patience"]


@dataclass(frozen=True, slots=True)
class Patience:
    """Seconds for each thing that a caller may let it wait for."""

    head: float = 10.0
    """For the head of a request, from its first byte to its last."""
    still: float = 60.0
    """For the next 16 KB of a body, or its end, whether the caller sends or reads it."""
    idle: float = 75.0
    """Between two requests of a connection."""
    extra: float = 1.0
    """For the head of a request on a connection that only a health page may use, since all others are taken."""
    linger: float = 2.0
    """For the rest of a body that nobody wants, so that the refusal is read before the connection ends."""
