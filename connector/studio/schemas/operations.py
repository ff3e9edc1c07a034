"""Operations of the catalogue: what they take, what a repeat does, what a call may cost."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from connector.model import Effect
from connector.studio.schemas.base import Answer, Price, Received

__all__ = ["CallRequest", "CallResult", "Explained", "OperationDetail", "OperationRow", "SendRequest"]


class OperationRow(Answer):
    """One operation in short."""

    name: str = Field(description="Its name.", examples=["chat completions create"])
    entity: str = Field(description="The entity that it belongs to.", examples=["chat completions"])
    action: str = Field(description="What it does with it.", examples=["create"])
    method: str = Field(description="The HTTP method.", examples=["POST"])
    path: str = Field(description="The path below the base address.", examples=["/chat/completions"])
    area: str = Field(description="The area of the API.", examples=["chat"])
    effect: Effect = Field(description="What a second call would do.")
    deprecated: bool = Field(description="Whether it is deprecated.")
    removed: bool = Field(description="Whether the API has removed it.")


class OperationDetail(OperationRow):
    """All that is known of an operation."""

    repeats: str = Field(description="What a repeat does, in words.")
    example: dict[str, Any] = Field(description="An example request that is valid.")
    described: dict[str, Any] = Field(description="Parameters, payload and answers, as `entities show` prints them.")
    payload_schema: dict[str, Any] | None = Field(description="The JSON Schema of the payload; null without one.")
    query_schema: dict[str, Any] = Field(description="The JSON Schema of the query.")
    path_schema: dict[str, Any] = Field(description="The JSON Schema of the path's parameters.")


class CallRequest(Received):
    """A request of an operation."""

    request: dict[str, Any] = Field(
        default_factory=dict[str, Any],
        description="The request: {path, query, payload, headers}.",
        examples=[{"payload": {"model": "gpt-6-luna", "messages": [{"role": "user", "content": "Good morning"}]}}],
    )
    client: str | None = Field(default=None, max_length=200, description="A client; needed where there are several.")


class SendRequest(CallRequest):
    """A request that is to be sent once."""

    confirm: Effect = Field(description="The effect as `explain` said it: who sends it knows what a repeat would do.")


class Explained(Answer):
    """The exact request, which was not sent."""

    request: dict[str, Any] = Field(description="What would be sent, without secrets, and where each value came from.")
    curl: str = Field(description="The same as a command.")
    effect: Effect = Field(description="What a second call would do.")
    repeats: str = Field(description="What a repeat does, in words.")
    most: Price = Field(description="The most that the call costs, as far as its request says.")
    client: str = Field(description="The client that would send it.")
    environment: str = Field(description="Whether that client calls a sandbox or the API.", examples=["sandbox"])


class CallResult(Answer):
    """What a call came to."""

    state: str = Field(description="done, refused, not_sent or unknown.", examples=["done"])
    sentence: str = Field(description="The same in words, with what to do next.")
    outcome: dict[str, Any] = Field(description="The answer: {status, headers, body, …}, without secrets.")
    cost: Price = Field(description="What it cost, by what the answer reports.")
    seconds: float = Field(description="How long it took.")
