"""Documents that are published through an outgoing connection, and what their calls come to."""

from __future__ import annotations

from pydantic import Field, JsonValue

from connector.studio.schemas.base import Answer, Received

__all__ = ["DoubtfulCall", "PublishRequest", "PublishedCall"]


class PublishRequest(Received):
    """A document for an outgoing connection."""

    document: JsonValue = Field(description="The document, as a route would give it to the connection's chain.")


class DoubtfulCall(Answer):
    """A call that may have taken effect."""

    operation: str = Field(description="What was called.")
    evidence: str = Field(description="What was seen of its end.")


class PublishedCall(Answer):
    """What a published document has come to."""

    task: int = Field(description="The number to follow it by.")
    state: str = Field(
        description="`finished`, or `failed` when nothing took effect, or `unknown` when something may have;"
        " everything else is not the end.",
        examples=["finished"],
    )
    repeat: bool = Field(description="Whether this was asked for before, so that nothing was sent now.")
    documents: list[JsonValue] = Field(
        default_factory=list[JsonValue], description="The answers, after the chain of the connection's `answer`."
    )
    reason: str = Field(default="", description="Why it is in its state.")
    doubts: list[DoubtfulCall] = Field(
        default_factory=list[DoubtfulCall], description="The calls that may have taken effect, for `unknown`."
    )
