"""What a route will cost, before it runs."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from connector.studio.schemas.base import Answer

__all__ = ["Likely", "RouteForecast", "WayForecast"]


class Likely(Answer):
    """A figure, with how far it may be off."""

    p50: float = Field(description="The middle: it is as often less as more.")
    p95: float = Field(description="Nineteen times of twenty it is less than this.")


class WayForecast(Answer):
    """What a route costs and how long it takes, when its requests go one way."""

    way: str = Field(description="How requests go.", examples=["standard", "batch", "window-8h"])
    chosen: bool = Field(description="Whether the route goes this way.")
    money: Likely | None = Field(description="What it costs, in the currency; null where a model has no price.")
    seconds: Likely = Field(description="How long it takes.")


class RouteForecast(Answer):
    """What a route will cost, if it runs now."""

    route: str = Field(description="Its name.", examples=["tickets"])
    currency: str = Field(description="The currency of all money.", examples=["USD"])
    certainty: Literal["sure", "rough", "guess", "none"] = Field(description="How sure that is, in a word.")
    documents: dict[str, int] = Field(
        description="How many documents the reading gives (`read`), how many of them are new, and how many wait."
    )
    complete: bool = Field(description="Whether all documents were counted.")
    requests: dict[str, int] = Field(description="How many calls may be paid for, by model.")
    input: Likely = Field(description="Tokens of input.")
    output: Likely = Field(description="Tokens of output.")
    ways: list[WayForecast] = Field(description="The ways in which its requests may go, the route's own first.")
    history: int = Field(description="How many past calls were looked at.")
    sample: int = Field(description="How many documents were looked at.")
    counting: list[str] = Field(description="How tokens were counted.")
    assumed: list[str] = Field(description="What was taken for granted.")
    left_out: list[str] = Field(description="What the figures do not hold.")
