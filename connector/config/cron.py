"""When a schedule is due, as it is written: cron fields or an interval."""

from __future__ import annotations

import re
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

__all__ = ["check_every", "check_timezone"]

INTERVAL = re.compile(r"[1-9]\d{0,6}[smhd]")
SHORTHANDS = frozenset({"@hourly", "@daily", "@weekly", "@monthly", "@yearly"})
MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
DAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
FIELDS = (
    ("minute", 0, 59, ()),
    ("hour", 0, 23, ()),
    ("day", 1, 31, ()),
    ("month", 1, 12, MONTHS),
    ("weekday", 0, 7, DAYS),
)  # fmt: skip


def check_every(text: str) -> str:
    """The text itself, when it says a time; ValueError, naming the field, when it does not."""
    fields = text.split()
    if INTERVAL.fullmatch(text) or text in SHORTHANDS:
        return text
    if len(fields) != len(FIELDS):
        raise ValueError(
            f"found {text[:60]!r}; five cron fields such as 0 3 * * *, an interval such as 15m, or "
            f"{', '.join(sorted(SHORTHANDS))} are allowed"
        )
    for field, (name, low, high, words) in zip(fields, FIELDS, strict=True):
        if not all(_fits(part, low, high, words) for part in field.lower().split(",")):
            named = f" or {words[0]} to {words[-1]}" if words else ""
            raise ValueError(
                f"the {name} field is {field[:30]!r}; *, {low} to {high}{named}, a-b, a,b and */n are allowed"
            )
    return text


def check_timezone(name: str) -> str:
    """The name itself, when there is such a time zone."""
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError(f"there is no time zone {name[:60]!r}; write it as Europe/Amsterdam or UTC") from None
    return name


def _fits(part: str, low: int, high: int, words: tuple[str, ...]) -> bool:
    span, slash, step = part.partition("/")
    if slash and not (step.isdigit() and 1 <= int(step) <= high):
        return False
    if span == "*":
        return True
    first, dash, last = span.partition("-")
    ends = [_number(end, low, words) for end in ((first, last) if dash else (first,))]
    if any(end is None or not low <= end <= high for end in ends):
        return False
    return len(ends) == 1 or (ends[0] or 0) <= (ends[1] or 0)


def _number(text: str, low: int, words: tuple[str, ...]) -> int | None:
    if text in words:
        return words.index(text) + low
    return int(text) if text.isdigit() else None
