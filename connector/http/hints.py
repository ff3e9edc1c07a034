"""What a server's headers say about waiting; nonsense counts as silence."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

__all__ = ["LONGEST", "duration", "exhausted_for", "retry_hint", "should_retry"]

LONGEST = 300.0
"""No hint makes a call wait longer than this, in seconds."""

_DURATION = re.compile(r"(?<!\d)(\d+(?:\.\d+)?)(ms|d|h|m|s)")
_SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_RESETS = ("requests", "tokens")


def retry_hint(headers: Mapping[str, str], now: datetime | None = None) -> float | None:
    """The seconds a server asks to wait: retry-after-ms, else retry-after in seconds or as a date."""
    milliseconds = _number(headers.get("retry-after-ms", ""))
    if milliseconds is not None:
        return min(milliseconds / 1000, LONGEST)
    text = headers.get("retry-after", "")
    seconds = _number(text)
    if seconds is None and text:
        seconds = _until(text, now or datetime.now(UTC))
    return None if seconds is None else min(seconds, LONGEST)


def should_retry(headers: Mapping[str, str]) -> bool | None:
    """The server's own word on whether another try makes sense."""
    return {"true": True, "false": False}.get(headers.get("x-should-retry", "").strip().lower())


def exhausted_for(headers: Mapping[str, str]) -> float | None:
    """The seconds until a rate limit that has nothing left is renewed."""
    waits = [
        wait
        for kind in _RESETS
        if _number(headers.get(f"x-ratelimit-remaining-{kind}", "")) == 0
        and (wait := duration(headers.get(f"x-ratelimit-reset-{kind}", ""))) is not None
    ]
    return min(max(waits), LONGEST) if waits else None


def duration(text: str) -> float | None:
    """Seconds of a duration such as `1s`, `6m0s`, `20ms`, or a bare number of seconds."""
    text = text.strip().lower()
    parts = _DURATION.findall(text)
    if not parts or "".join(f"{number}{unit}" for number, unit in parts) != text:
        return _number(text)
    seconds = sum(float(number) * _SECONDS[unit] for number, unit in parts)
    return seconds if math.isfinite(seconds) else None


def _number(text: str) -> float | None:
    """A finite number that is not negative."""
    try:
        value = float(text)
    except ValueError:
        return None
    return value if math.isfinite(value) and value >= 0 else None


def _until(text: str, now: datetime) -> float | None:
    try:
        moment = parsedate_to_datetime(text)
    except (ValueError, TypeError, OverflowError):
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    seconds = (moment - now).total_seconds()
    return seconds if seconds > 0 else None
