"""What a server's headers say about waiting; nonsense counts as silence."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

__all__ = [
    "LONGEST_WAIT",
    "find_reset",
    "parse_duration",
    "parse_retry_after",
    "parse_should_retry",
]

LONGEST_WAIT = 300.0
"""No hint makes a call wait longer than this, in seconds."""

_DURATION = re.compile(r"(?<!\d)(\d+(?:\.\d+)?)(ms|d|h|m|s)")
_SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_RESETS = ("requests", "tokens")


def parse_retry_after(headers: Mapping[str, str], now: datetime | None = None) -> float | None:
    """Return the seconds a server asks to wait: retry-after-ms, else retry-after in seconds or as a date."""
    milliseconds = _parse_number(headers.get("retry-after-ms", ""))
    if milliseconds is not None:
        return min(milliseconds / 1000, LONGEST_WAIT)
    text = headers.get("retry-after", "")
    seconds = _parse_number(text)
    if seconds is None and text:
        seconds = _parse_date(text, now or datetime.now(UTC))
    return None if seconds is None else min(seconds, LONGEST_WAIT)


def parse_should_retry(headers: Mapping[str, str]) -> bool | None:
    """Return what the server says on whether another attempt makes sense."""
    return {"true": True, "false": False}.get(headers.get("x-should-retry", "").strip().lower())


def find_reset(headers: Mapping[str, str]) -> float | None:
    """Return the seconds until a rate limit that has nothing left is renewed."""
    waits = [
        wait
        for kind in _RESETS
        if _parse_number(headers.get(f"x-ratelimit-remaining-{kind}", "")) == 0
        and (wait := parse_duration(headers.get(f"x-ratelimit-reset-{kind}", ""))) is not None
    ]
    return min(max(waits), LONGEST_WAIT) if waits else None


def parse_duration(text: str) -> float | None:
    """Return the seconds of a duration such as `1s`, `6m0s`, `20ms`, or a bare number of seconds."""
    text = text.strip().lower()
    parts = _DURATION.findall(text)
    if not parts or "".join(f"{number}{unit}" for number, unit in parts) != text:
        return _parse_number(text)
    seconds = sum(float(number) * _SECONDS[unit] for number, unit in parts)
    return seconds if math.isfinite(seconds) else None


def _parse_number(text: str) -> float | None:
    """Return a finite number that is not negative."""
    try:
        value = float(text)
    except ValueError:
        return None
    return value if math.isfinite(value) and value >= 0 else None


def _parse_date(text: str, now: datetime) -> float | None:
    try:
        moment = parsedate_to_datetime(text)
    except (ValueError, TypeError, OverflowError):
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    seconds = (moment - now).total_seconds()
    return seconds if seconds > 0 else None
