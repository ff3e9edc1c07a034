"""Models: life cycles, prices, and whether the account has them."""

from __future__ import annotations

from datetime import date
from typing import Any, Literal

from pydantic import Field

from connector.studio.schemas.base import Answer

__all__ = ["AccountModels", "ModelDetail", "ModelList", "ModelRow"]


class ModelRow(Answer):
    """One model in short."""

    id: str = Field(description="Its name.", examples=["gpt-6-luna"])
    kind: str | None = Field(description="What it makes: text, image, …; null for one that the registry does not know.")
    life_cycle: Literal["active", "retires", "retired"] | None = Field(
        description="Where it is in its life: it retires within 90 days of its end; null when that is not known."
    )
    shutdown: date | None = Field(description="The day on which it stops; null when none is announced.")
    successor: str | None = Field(description="What takes its place.")
    input: float | None = Field(description="USD a million tokens of input; null when that is not known.")
    output: float | None = Field(description="USD a million tokens of output; null when that is not known.")
    available: bool | None = Field(description="Whether the account may use it; null when nobody could be asked.")
    used: bool = Field(description="Whether the configuration names it.")


class AccountModels(Answer):
    """What the account's own list of models says."""

    client: str | None = Field(description="The client that was asked.")
    asked: bool = Field(description="Whether the API has answered.")
    why: str = Field(default="", description="Why it could not be asked.")


class ModelList(Answer):
    """All models that are known."""

    items: list[ModelRow] = Field(description="The models: those that the account has first.")
    account: AccountModels = Field(description="What the account's own list says.")
    as_of: date = Field(description="The day of the registry's facts.")


class ModelDetail(ModelRow):
    """All that is known of a model."""

    described: dict[str, Any] = Field(description="Limits, prices of every tier, and what it refuses.")
