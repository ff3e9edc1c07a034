"""Times and amounts of money as people write them, normalised to seconds and numbers."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import BeforeValidator, Field, WithJsonSchema, model_validator

from connector.config.section import Section
from connector.model import JSON
from connector.telemetry.costs import Period

__all__ = ["Budget", "Duration", "Kept", "seconds"]

LENGTH = re.compile(r"(\d{1,9})([smhd])")
UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
FOREVER = "forever"
WRITTEN: dict[str, JSON] = {"type": "string", "pattern": r"^\d{1,9}[smhd]$|\$\{"}
NUMBER: dict[str, JSON] = {"type": "number", "minimum": 0}


def seconds(value: JSON) -> JSON:
    """A length of time in seconds: 30s, 15m, 6h, 1d, or a number, which says seconds."""
    if isinstance(value, int | float) and not isinstance(value, bool) and value >= 0:
        return float(value)
    found = LENGTH.fullmatch(value) if isinstance(value, str) else None
    if found is None and isinstance(value, str) and value.isdigit():
        return float(value)
    if found is None:
        raise ValueError("a length of time such as 30s, 15m, 6h or 1d is allowed, or a number of seconds")
    return float(int(found[1]) * UNITS[found[2]])


def _kept(value: JSON) -> JSON:
    if value == FOREVER or value is None:
        return None
    try:
        return seconds(value)
    except ValueError as error:
        raise ValueError(f"{error}, or {FOREVER}") from None


Duration = Annotated[float, BeforeValidator(seconds), WithJsonSchema({"anyOf": [WRITTEN, NUMBER]})]
Kept = Annotated[float | None, BeforeValidator(_kept), WithJsonSchema({"anyOf": [{"const": FOREVER}, WRITTEN, NUMBER]})]
"""How long something is kept, in seconds; None for ever."""


class Budget(Section):
    """What may be used in a period; when it is used up, the next one is waited for."""

    amount: float | None = Field(default=None, ge=0, description="Money, in the currency of the prices.")
    tokens: int | None = Field(default=None, ge=0, description="Tokens, those that are sent and those that come back.")
    every: Period = Field(description="The period, in UTC; a week begins on Monday.")
    shadow: bool = Field(default=False, description="Whether it is only reported that it is used up.")

    @model_validator(mode="after")
    def _one_at_least(self) -> Budget:
        if self.amount is None and self.tokens is None:
            raise ValueError("found neither amount nor tokens; one of them is needed")
        return self
