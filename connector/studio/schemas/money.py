"""What calls cost, summed up."""

from __future__ import annotations

from typing import Literal

from pydantic import AliasChoices, Field

from connector.studio.schemas.base import Answer, Price, Time

__all__ = ["MoneyReport", "MoneyRow"]


FROM, TO = AliasChoices("from", "since"), AliasChoices("to", "until")
"""Python takes the first words for its own."""


class MoneyRow(Answer):
    """The sum of some calls."""

    name: str = Field(description="The route, model, token or day; empty when it is not known.", examples=["tickets"])
    calls: int = Field(description="How many calls.")
    input: int = Field(description="Tokens of input.")
    output: int = Field(description="Tokens of output.")
    cost: Price = Field(description="What they cost; `why` says what the amount leaves out.")


class MoneyReport(Answer):
    """What calls cost in a time."""

    by: Literal["route", "model", "token", "day"] = Field(description="By what they are summed up.")
    since: Time | None = Field(validation_alias=FROM, serialization_alias="from", description="From when.")
    until: Time | None = Field(validation_alias=TO, serialization_alias="to", description="Until when.")
    rows: list[MoneyRow] = Field(description="The sums, the most expensive first; days in their order.")
    total: MoneyRow = Field(description="The sum of all.")
    complete: bool = Field(description="Whether every task of that time was looked at.")
    source: str = Field(description="Where the figures come from, and what they do not hold.")
