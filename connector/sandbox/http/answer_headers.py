"""The headers of every answer: the request's id, the processing time, and the rate limits of the minute."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from hashlib import blake2b
from typing import Final

from connector.model import JSON, is_document
from connector.sandbox.messages import Answer

__all__ = ["AnswerHeaders"]

API_VERSION: Final = "2020-10-01"
MOST_REQUESTS: Final = 1_000_000
MOST_TOKENS: Final = 1_000_000_000
"""High enough that no client waits for a sandbox on their account."""
WINDOW: Final = 60.0


class AnswerHeaders:
    """Builds the headers of answers, and counts what is left of a minute's requests and tokens."""

    def __init__(self, clock: Callable[[], float], seed: int) -> None:
        self._clock = clock
        self._seed = seed
        self._answers = 0
        self._window_end = 0.0
        self._requests = 0
        self._tokens = 0

    def reset(self) -> None:
        """Start the request ids again."""
        self._answers = 0

    def build(self, answer: Answer, began: float) -> Mapping[str, str]:
        """Return the headers of an answer to a request that began at a moment of the performance counter."""
        self._answers += 1
        name = blake2b(f"{self._seed}/{self._answers}".encode(), digest_size=16).hexdigest()
        return {
            "x-request-id": f"req_{name}",
            "openai-processing-ms": str(int((time.perf_counter() - began) * 1000)),
            "openai-version": API_VERSION,
            "openai-organization": "org-sandbox",
            **self._count_request(answer.body),
            **answer.headers,
        }

    def _count_request(self, body: JSON) -> dict[str, str]:
        """Count one more request and the tokens that its answer used, and return the rate-limit headers."""
        now = self._clock()
        if not 0 < self._window_end - now <= WINDOW:
            self._window_end, self._requests, self._tokens = now + WINDOW, 0, 0
        self._requests += 1
        self._tokens += _count_used_tokens(body)
        reset = f"{self._window_end - now:.3f}s"
        return {
            "x-ratelimit-limit-requests": str(MOST_REQUESTS),
            "x-ratelimit-limit-tokens": str(MOST_TOKENS),
            "x-ratelimit-remaining-requests": str(max(0, MOST_REQUESTS - self._requests)),
            "x-ratelimit-remaining-tokens": str(max(0, MOST_TOKENS - self._tokens)),
            "x-ratelimit-reset-requests": reset,
            "x-ratelimit-reset-tokens": reset,
        }


def _count_used_tokens(body: JSON) -> int:
    usage = body.get("usage") if is_document(body) else None
    total = usage.get("total_tokens") if is_document(usage) else None
    return total if isinstance(total, int) else 0
