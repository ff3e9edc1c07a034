"""Tasks in doubt, and the verdicts on them."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from connector.studio.schemas.base import Answer, Price, Received, Time
from connector.studio.schemas.tasks import CallView, Cut, SearchedView

__all__ = ["Doubt", "DoubtPage", "DoubtfulCall", "SettleRequest"]


class DoubtfulCall(CallView):
    """A call that may have taken effect."""

    repeat_cost: Price = Field(description="What it may cost to make it again.")
    request_bytes: int = Field(description="How large the request was, as it is kept.")


class Doubt(Answer):
    """A task that is held, since nobody knows what its calls did."""

    id: int = Field(description="The task.")
    route: str = Field(description="Its route.")
    key: str = Field(description="The key of its document.")
    reason: str = Field(description="Why it is in doubt, and where to look.")
    created: Time | None = Field(description="When its document was accepted.")
    updated: Time | None = Field(description="Since when it is held.")
    document: Any = Field(description="The document.")
    calls: list[DoubtfulCall] = Field(description="The calls that may have taken effect.")
    can_be_done: bool = Field(description="Whether `done` can be the verdict: one call, at most, is in doubt.")
    cut: list[Cut] = Field(description="What was shortened, and where it is read whole.")


class DoubtPage(Answer):
    """One page of tasks in doubt, those held longest first."""

    items: list[Doubt] = Field(description="The tasks of this page.")
    next: str | None = Field(description="The cursor of the next page; null on the last one.")
    searched: SearchedView


class SettleRequest(Received):
    """The verdict on a task in doubt."""

    verdict: Literal["repeat", "skip", "done"] = Field(
        description="repeat: make the call again; skip: end the task; done: the call took effect, go on from there."
    )
    answer: Any = Field(default=None, description="With `done`: the body of the API's answer, as far as it is known.")
    attempt: int | None = Field(
        default=None, ge=0, le=2**31 - 1, description="With `done`: the attempt of the call, if several are in doubt."
    )
    number: int | None = Field(
        default=None, ge=0, le=2**31 - 1, description="With `done`: the call's number in the attempt."
    )
    reason: str = Field(default="", max_length=2000, description="How you know; kept in the audit log.")
