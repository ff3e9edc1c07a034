"""How names are compared: only letters and digits count."""

from __future__ import annotations

import re

__all__ = ["squeezed"]


def squeezed(name: str) -> str:
    """The name without case and separators: `Chat-Completions`, `chat.completions` and `chatCompletions` are one."""
    return re.sub(r"[\W_]+", "", name).lower()
