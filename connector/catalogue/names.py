"""The comparison of names: only letters and digits count."""

from __future__ import annotations

import re

__all__ = ["normalize_name"]


def normalize_name(name: str) -> str:
    """Return a name without case and separators: `Chat-Completions`, `chat.completions`, `chatCompletions` are one."""
    return re.sub(r"[\W_]+", "", name).lower()
