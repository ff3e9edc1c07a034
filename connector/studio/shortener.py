"""Large values, shortened so that a page can show them; what is left out is said."""

from __future__ import annotations

from dataclasses import dataclass, field

from connector.documents import dump
from connector.model import JSON, is_document, is_list
from connector.studio.schemas.tasks import Cut

__all__ = ["Shortener"]

MOST_BYTES = 64 * 1024
"""Bytes of a value that is shown whole."""
LONGEST, WIDEST = 2_000, 50
"""Characters of a text and members of a list or object that are left of a larger value."""
DEEPEST = 30


@dataclass(slots=True)
class Shortener:
    """Shortens values, and notes which.

    Args:
        base: the address below which values are read whole.
        most: bytes of a value that is shown whole.
    """

    base: str
    most: int = MOST_BYTES
    cut: list[Cut] = field(default_factory=list[Cut])

    def shorten(self, value: JSON, where: str, part: str) -> JSON:
        """Return a value, shortened when it is large."""
        size = len(dump(value))
        if size <= self.most:
            return value
        self.cut.append(Cut(where=where, bytes=size, whole=f"{self.base}/{part}"))
        return _shorten(value, DEEPEST)


def _shorten(value: JSON, depth: int) -> JSON:
    if isinstance(value, str):
        left = len(value) - LONGEST
        return value if left <= 0 else f"{value[:LONGEST]}… ({left:,} characters more)"
    if depth == 0 and (is_list(value) or is_document(value)):
        return "… (deeper values are left out)"
    if is_list(value):
        some = [_shorten(each, depth - 1) for each in value[:WIDEST]]
        return some if len(value) <= WIDEST else [*some, f"… ({len(value) - WIDEST:,} more)"]
    if is_document(value):
        names = list(value)
        shown = {name: _shorten(value[name], depth - 1) for name in names[:WIDEST]}
        return shown if len(names) <= WIDEST else {**shown, "…": f"({len(names) - WIDEST:,} more)"}
    return value
