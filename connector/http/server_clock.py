"""The time that a server says it is, whatever this machine's clock says or jumps to."""

from __future__ import annotations

from collections.abc import Mapping
from email.utils import parsedate_to_datetime

from connector.timing import Timing

__all__ = ["ServerClock"]


class ServerClock:
    """Learns a server's time from the `Date` of its answers and goes on by the monotonic clock."""

    def __init__(self, timing: Timing) -> None:
        self._timing = timing
        self._ahead: float | None = None

    def notice(self, headers: Mapping[str, str]) -> None:
        """Takes over what an answer says; one that says nothing, or nonsense, changes nothing."""
        text = headers.get("date", "")
        if not text:
            return
        try:
            said = parsedate_to_datetime(text).timestamp()
        except (ValueError, TypeError, OverflowError, OSError):
            return
        self._ahead = said - self._timing.clock()

    @property
    def now(self) -> float | None:
        """Seconds since 1970 by the server's clock; None while no answer has told it."""
        return None if self._ahead is None else self._timing.clock() + self._ahead
