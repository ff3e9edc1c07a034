"""Durations, budgets and times as people write them, normalised."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import time
from typing import Annotated
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import BeforeValidator, Field, WithJsonSchema, model_validator

from connector.config.models.section import Section
from connector.model import JSON
from connector.telemetry.costs import Period

__all__ = [
    "Alarm",
    "Amount",
    "Budget",
    "Duration",
    "MoneyAmount",
    "RetentionTime",
    "check_every",
    "check_time_of_day",
    "check_timezone",
    "parse_duration",
    "parse_time_of_day",
]

LENGTH = re.compile(r"(\d{1,9})([smhd])")
UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
TIME_OF_DAY = re.compile(r"([01]?\d|2[0-3]):([0-5]\d)(?:\s+(\S+))?")
FOREVER = "forever"
WRITTEN: dict[str, JSON] = {"type": "string", "pattern": r"^\d{1,9}[smhd]$|\$\{"}
NUMBER: dict[str, JSON] = {"type": "number", "minimum": 0}


def parse_duration(value: JSON) -> JSON:
    """Return a duration in seconds: 30s, 15m, 6h, 1d, or a number of seconds."""
    if isinstance(value, int | float) and not isinstance(value, bool) and value >= 0:
        return float(value)
    found = LENGTH.fullmatch(value) if isinstance(value, str) else None
    if found is None and isinstance(value, str) and value.isdigit():
        return float(value)
    if found is None:
        raise ValueError("a length of time such as 30s, 15m, 6h or 1d is allowed, or a number of seconds")
    return float(int(found[1]) * UNITS[found[2]])


def _parse_retention(value: JSON) -> JSON:
    if value == FOREVER or value is None:
        return None
    try:
        return parse_duration(value)
    except ValueError as error:
        raise ValueError(f"{error}, or {FOREVER}") from None


Duration = Annotated[float, BeforeValidator(parse_duration), WithJsonSchema({"anyOf": [WRITTEN, NUMBER]})]
RetentionTime = Annotated[
    float | None, BeforeValidator(_parse_retention), WithJsonSchema({"anyOf": [{"const": FOREVER}, WRITTEN, NUMBER]})
]
"""A retention time in seconds; None is forever."""


@dataclass(frozen=True, slots=True)
class Amount:
    """An amount of money; without a currency that of the configuration is meant."""

    amount: float
    currency: str = ""


def _parse_amount(value: JSON) -> JSON:
    if isinstance(value, int | float) and not isinstance(value, bool) and value >= 0:
        return Amount(float(value))
    found = AMOUNT.fullmatch(value) if isinstance(value, str) else None
    if found is None:
        raise ValueError("an amount of money such as 5 or 2.50 USD is allowed")
    return Amount(float(found[1]), found[2] or "")


AMOUNT = re.compile(r"(\d{1,12}(?:\.\d{1,9})?)(?: ?([A-Z]{3}))?")
AMOUNT_SCHEMA: dict[str, JSON] = {
    "anyOf": [{"type": "string", "pattern": r"^\d{1,12}(\.\d{1,9})?( ?[A-Z]{3})?$|\$\{"}, NUMBER]
}
MoneyAmount = Annotated[Amount, BeforeValidator(_parse_amount), WithJsonSchema(AMOUNT_SCHEMA)]
"""An amount of money as people write it: 5, or 2.50 USD."""


class Alarm(Section):
    """Whom a budget tells of a share that is reached: a webhook or a command, with the same JSON."""

    client: str | None = Field(default=None, description="A client of kind http, through which the webhook is called.")
    path: str = Field(default="/", description="The path of the webhook, which takes a POST.")
    command: tuple[str, ...] = Field(
        default=(), description="A program and its arguments, run without a shell; it gets the JSON on standard input."
    )

    @model_validator(mode="after")
    def _one_of_them(self) -> Alarm:
        if (self.client is None) == (not self.command):
            raise ValueError("found both or neither; one of client and command is needed")
        return self


Share = Annotated[float, Field(gt=0, le=1)]


class Budget(Section):
    """What may be used in a period; a call that would use more waits for the next period."""

    amount: float | None = Field(default=None, ge=0, description="An amount of money, in the currency of the prices.")
    tokens: int | None = Field(default=None, ge=0, description="A number of tokens, input and output.")
    every: Period = Field(description="The period, in UTC; a week starts on Monday.")
    shadow: bool = Field(default=False, description="Whether an exceeded budget is only reported, and stops nothing.")
    warn_at: tuple[Share, ...] = Field(
        default=(), description="Shares of it, such as 0.8, that are told of when they are reached, each once a period."
    )
    warn: Alarm | None = Field(default=None, description="Whom to tell, beside the log.")

    @model_validator(mode="after")
    def _one_at_least(self) -> Budget:
        if self.amount is None and self.tokens is None:
            raise ValueError("found neither amount nor tokens; one of them is needed")
        return self


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
    """Return the text if it is a schedule; raise ValueError, naming the field, if not."""
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
    """Return the name if there is such a time zone; raise ValueError if not."""
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError(f"there is no time zone {name[:60]!r}; write it as Europe/Amsterdam or UTC") from None
    return name


def parse_time_of_day(written: str) -> tuple[time, str]:
    """Return a time of day and the time zone written after it, empty where there is none; ValueError if it is none."""
    found = TIME_OF_DAY.fullmatch(written)
    if found is None:
        raise ValueError("a time of day such as 08:00 is allowed, or 08:00 Europe/Berlin")
    return time(int(found[1]), int(found[2])), check_timezone(found[3]) if found[3] else ""


def check_time_of_day(written: str) -> str:
    """Return a time of day as it is written; raise ValueError if it is none."""
    parse_time_of_day(written)
    return written


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
