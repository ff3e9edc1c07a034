"""The gateway: who calls through it, how much, how fast, and what was refused."""

from __future__ import annotations

from pydantic import Field

from connector.studio.schemas.base import Answer, Price

__all__ = ["CallerRow", "GatewayBudget", "GatewayOverview", "LatencyRow", "ModelUse", "RefusalRow"]


class GatewayBudget(Answer):
    """What a token may spend in a period, and what it has spent."""

    period: str = Field(description="The period.", examples=["month"])
    spent: Price = Field(description="What was spent in this period, calls under way included.")
    limit: Price | None = Field(description="What may be spent; null without a limit in money.")
    tokens: int | None = Field(description="The tokens that were used; null when that is not known.")
    token_limit: int | None = Field(description="The tokens that may be used; null without such a limit.")


class ModelUse(Answer):
    """What a token used of one model through one client, since the gateway started."""

    client: str = Field(description="The client.")
    model: str = Field(description="The model; empty when no answer named one.")
    input: int = Field(description="Tokens of input.")
    cached: int = Field(description="Those of them that were read from a cache.")
    output: int = Field(description="Tokens of output.")
    cost: Price = Field(description="What that cost.")


class CallerRow(Answer):
    """A token that may call."""

    name: str = Field(description="Its name.", examples=["atlas"])
    description: str = Field(default="", description="What it is for.")
    disabled: bool = Field(description="Whether it is refused.")
    clients: list[str] | None = Field(description="The clients that it may use; null for all.")
    allow: list[str] | None = Field(description="The operations that it may call; null for all.")
    models: list[str] | None = Field(description="The models that it may use; null for all.")
    requests_per_minute: int | None = Field(description="Its limit of requests a minute.")
    tokens_per_minute: int | None = Field(description="Its limit of tokens a minute.")
    budget: GatewayBudget | None = Field(description="Its budget, if it has one.")
    calls: dict[str, int] | None = Field(description="Calls by status; null when the gateway could not be asked.")
    refused: int | None = Field(description="Calls that were not passed on; null when that is not known.")
    used: list[ModelUse] = Field(description="What it used, by client and model.")


class RefusalRow(Answer):
    """Calls that were not passed on."""

    token: str = Field(description="Whose; empty for callers that were not known.")
    code: str = Field(description="Why.", examples=["budget_used_up"])
    number: int = Field(description="How many.")


class LatencyRow(Answer):
    """How long calls of a client took until the end of their answers."""

    client: str = Field(description="The client.")
    calls: int = Field(description="How many.")
    mean: float | None = Field(description="Seconds on average.")
    p50: float | None = Field(description="Seconds within which half of them ended, at most.")
    p95: float | None = Field(description="Seconds within which 95 % of them ended, at most.")


class GatewayOverview(Answer):
    """The gateway and its callers."""

    listen: str = Field(description="Where it listens.", examples=["127.0.0.1:8788"])
    running: bool = Field(description="Whether it has answered.")
    why: str = Field(default="", description="Why its counts are not known.")
    in_flight: int | None = Field(description="Calls under way.")
    callers: list[CallerRow] = Field(description="The tokens, in the order of the configuration.")
    refusals: list[RefusalRow] = Field(description="What was refused, the most frequent first.")
    latency: list[LatencyRow] = Field(description="How long calls took, by client.")
