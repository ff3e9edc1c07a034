"""The periods that budgets run for, in UTC: hours, days, weeks from Monday on, months."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Literal

__all__ = ["Period", "period"]

Period = Literal["hour", "day", "week", "month"]
MONDAY_FIRST = 3
"""The first of January 1970 was a Thursday."""
LENGTHS: dict[Period, timedelta] = {
    "hour": timedelta(hours=1), "day": timedelta(days=1), "week": timedelta(weeks=1)
}  # fmt: skip
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def period(every: Period, at: float) -> tuple[float, float]:
    """When the period that a time falls into begins, and when the next one does, in seconds since 1970."""
    now = datetime.fromtimestamp(at, UTC)
    if every == "month":
        first = now.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
        following = (first + timedelta(days=32)).replace(day=1)
        return first.timestamp(), following.timestamp()
    length = LENGTHS[every]
    shift = timedelta(days=MONDAY_FIRST) if every == "week" else timedelta()
    begun = now - (now - EPOCH + shift) % length
    return begun.timestamp(), (begun + length).timestamp()
