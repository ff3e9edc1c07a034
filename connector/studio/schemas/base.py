"""What all of the studio's schemas share: closed requests, times, money and pages of lists."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Annotated, Generic, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, PlainSerializer, WithJsonSchema

__all__ = ["Answer", "Moment", "Page", "Price", "Received", "Time", "as_time"]

Item = TypeVar("Item")


def _write_time(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


Time = Annotated[
    datetime,
    PlainSerializer(_write_time, return_type=str),
    WithJsonSchema({"type": "string", "format": "date-time", "examples": ["2026-01-01T12:30:00.000Z"]}),
]
"""A time as an RFC 3339 string in UTC."""


def _read_time(given: object) -> object:
    """Refuse a number, which pydantic would take for seconds since 1970."""
    if isinstance(given, str) and not RFC_3339.fullmatch(given):
        raise ValueError("a time such as 2026-01-01T12:30:00Z is needed")
    return given


RFC_3339 = re.compile(r"\d{4}-\d{2}-\d{2}[Tt ]\d{2}:\d{2}:\d{2}(\.\d+)?([Zz]|[+-]\d{2}:\d{2})?")
Moment = Annotated[datetime, BeforeValidator(_read_time)]
"""A time that a request gives, as an RFC 3339 string; one without a zone is in UTC."""


def as_time(seconds: float | None) -> datetime | None:
    """Return a time in seconds since 1970 as one that is written; zero and None are no time."""
    return datetime.fromtimestamp(seconds, UTC) if seconds else None


class Answer(BaseModel):
    """What the API gives."""

    model_config = ConfigDict(frozen=True)


class Received(BaseModel):
    """What the API takes: a field that it does not know is refused, so that none is ignored in silence."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Price(Answer):
    """An amount of money that may be unknown."""

    amount: float | None = Field(description="The amount; null when it is not known.", examples=[0.0125])
    currency: str = Field(description="The currency in three letters.", examples=["USD"])
    why: str = Field(default="", description="Why the amount is not known, or what it leaves out.")


class Page(Answer, Generic[Item]):
    """One page of a list."""

    items: list[Item] = Field(description="The items of this page, in their order.")
    next: str | None = Field(default=None, description="The cursor of the next page; null on the last one.")
