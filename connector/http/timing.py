"""Time and chance, as clients take them."""

from __future__ import annotations

from connector.timing import SYSTEM, Timing

__all__ = ["SYSTEM", "Timing"]
