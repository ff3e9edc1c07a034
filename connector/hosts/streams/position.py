"""How far a stream was read: what its host keeps, and gives back at the next sync."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from connector.errors import ConfigurationError
from connector.model import JSON, is_document

__all__ = ["Position"]


@dataclass(frozen=True, slots=True)
class Position:
    """How far one list was read.

    Attributes:
        cursor: everything up to this time was given; None when nothing was.
        reading: where a reading that did not come to its end goes on.
    """

    cursor: int | None = None
    reading: Mapping[str, JSON] = field(default_factory=dict[str, JSON])

    @classmethod
    def of(cls, kept: JSON) -> Position:
        """Return the position that a host kept; ConfigurationError when it is none of ours."""
        if kept is None:
            return cls()
        if is_document(kept):
            cursor, reading = kept.get("cursor"), kept.get("reading", {})
            is_time = cursor is None or (isinstance(cursor, int) and not isinstance(cursor, bool))
            if is_time and is_document(reading):
                return cls(cursor, reading)
        raise ConfigurationError(
            f"the state {str(kept)[:200]!r} is none of this source: reset the stream, or give"
            ' {"cursor": UNIX_SECONDS}'
        )

    def as_document(self) -> dict[str, JSON]:
        """Return what its host keeps."""
        shown: dict[str, JSON] = {} if self.cursor is None else {"cursor": self.cursor}
        return {**shown, "reading": dict(self.reading)} if self.reading else shown
