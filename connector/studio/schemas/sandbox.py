"""The sandbox: what arrived, and which faults it injects."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from connector.studio.schemas.base import Answer, Received, Time

__all__ = ["FaultKind", "FaultPlan", "FaultState", "SandboxRequest", "SandboxRequests"]


class SandboxRequest(Answer):
    """One request that arrived at the sandbox."""

    time: Time | None = Field(description="When.")
    method: str = Field(description="The HTTP method.", examples=["POST"])
    path: str = Field(description="The path.", examples=["/v1/chat/completions"])
    operation: str = Field(description="The operation; empty when it is none.", examples=["chat completions create"])
    status: int | None = Field(description="The status of the answer; null when it was never sent.")
    fault: str | None = Field(description="The fault that it met.", examples=["503"])
    query: Any = Field(description="The query.")
    payload: Any = Field(description="The payload, without keys; files by name and size.")
    effects: list[str] = Field(description="The ids of what it created, changed or deleted.")


class SandboxRequests(Answer):
    """What arrived, the newest first."""

    items: list[SandboxRequest] = Field(description="The requests.")
    total: int = Field(description="How many the sandbox remembers; the oldest go first.")


class FaultPlan(Received):
    """The faults that a sandbox injects."""

    rates: list[str] = Field(
        default_factory=list[str],
        max_length=100,
        description="Faults by chance: KIND:RATE or KIND:RATE:NUMBER.",
        examples=[["429:0.05", "delay:0.1:2.5"]],
    )
    rules: list[dict[str, Any]] = Field(
        default_factory=list[dict[str, Any]],
        max_length=500,
        description="Faults and answers for the requests that fit, as in a script.",
        examples=[[{"operation": "chat completions create", "nth": [2], "fault": "503"}]],
    )


class FaultKind(Answer):
    """A kind of fault that can be switched on."""

    name: str = Field(description="Its name, as in a rate.", examples=["reset"])
    text: str = Field(description="What happens.")


class FaultState(Answer):
    """The faults that are injected now, and those there are."""

    rates: list[str] = Field(description="Faults by chance.")
    rules: list[dict[str, Any]] = Field(description="Faults and answers for the requests that fit.")
    kinds: list[FaultKind] = Field(description="The named faults; any status from 400 to 599 is one too.")
