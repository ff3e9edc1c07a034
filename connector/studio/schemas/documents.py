"""Documents that other processes put on a route, and the tasks that they become."""

from __future__ import annotations

from pydantic import Field, JsonValue

from connector.studio.schemas.base import Answer, Received

__all__ = ["DocumentTask", "DocumentsRequest"]

MOST = 1000


class DocumentsRequest(Received):
    """Documents for a route, as its incoming connection would give them."""

    documents: list[JsonValue] = Field(description="The documents.", min_length=1, max_length=MOST)


class DocumentTask(Answer):
    """The task of one document; it is on disk."""

    task: int | None = Field(description="The task; null when it ended so long ago that it is no longer kept.")
    key: str = Field(description="By what the route knows the document; empty when it knows none.")
    known: bool = Field(description="Whether the route had this document already, so that nothing new was accepted.")
    state: str | None = Field(
        default=None, description="The task's state, when it was waited for.", examples=["finished"]
    )
    reason: str = Field(default="", description="Why the task is in its state.")
    answers: list[JsonValue] = Field(
        default_factory=list[JsonValue], description="What its calls were answered, when it was waited for."
    )
