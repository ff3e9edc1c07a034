"""The tokens of a workload that are hidden: those of the last exchanges, as older ones have ended."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable

from connector.request import Redactor

__all__ = ["RecentSecrets"]

MOST = 16
"""Two tokens an exchange: what eight exchanges have given is hidden, hours for tokens of an hour."""


class RecentSecrets:
    """Hides tokens as they come, and no more than so many of them, since a service runs for months.

    Args:
        redactor: hides them.
    """

    def __init__(self, redactor: Redactor) -> None:
        self._redactor = redactor
        self._known: deque[str] = deque()

    def learn(self, secrets: Iterable[str]) -> None:
        """Hide these, and the oldest ones no longer where there are too many."""
        for secret in secrets:
            if secret in self._known:
                self._known.remove(secret)
            self._known.append(secret)
            self._redactor.learn([secret])
        while len(self._known) > MOST:
            self._redactor.forget([self._known.popleft()])
