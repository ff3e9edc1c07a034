"""The rate-limit headers: they count down within a minute, and begin anew with the next."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from connector.model import JSON, is_document

__all__ = ["Limits"]

REQUESTS: Final = 1_000_000
TOKENS: Final = 1_000_000_000
"""High enough that nobody waits for a sandbox on their account."""
WINDOW: Final = 60.0


class Limits:
    """What is left of a minute's requests and tokens."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._ends = 0.0
        self._requests = 0
        self._tokens = 0

    def counted(self, body: JSON) -> dict[str, str]:
        """The headers after one more request, whose answer says what it used."""
        now = self._clock()
        if not 0 < self._ends - now <= WINDOW:
            self._ends, self._requests, self._tokens = now + WINDOW, 0, 0
        self._requests += 1
        self._tokens += _tokens(body)
        reset = f"{self._ends - now:.3f}s"
        return {
            "x-ratelimit-limit-requests": str(REQUESTS),
            "x-ratelimit-limit-tokens": str(TOKENS),
            "x-ratelimit-remaining-requests": str(max(0, REQUESTS - self._requests)),
            "x-ratelimit-remaining-tokens": str(max(0, TOKENS - self._tokens)),
            "x-ratelimit-reset-requests": reset,
            "x-ratelimit-reset-tokens": reset,
        }


def _tokens(body: JSON) -> int:
    usage = body.get("usage") if is_document(body) else None
    total = usage.get("total_tokens") if is_document(usage) else None
    return total if isinstance(total, int) else 0
