"""Back-off, rate limits, pacing, adaptive concurrency and circuit breakers, each written once; time is injected."""

from __future__ import annotations

from connector.resilience.backoff import Backoff
from connector.resilience.circuit_breaker import CircuitBreaker
from connector.resilience.pace import AdaptiveConcurrency, ConcurrencyLimit, LocalRate, Pacer, Rate, TokenBucket

__all__ = [
    "AdaptiveConcurrency",
    "Backoff",
    "CircuitBreaker",
    "ConcurrencyLimit",
    "LocalRate",
    "Pacer",
    "Rate",
    "TokenBucket",
]
