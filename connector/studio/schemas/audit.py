"""Entries of the audit log."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from connector.studio.schemas.base import Answer, Time

__all__ = ["AuditEntry"]


class AuditEntry(Answer):
    """One thing that somebody did, or tried."""

    id: str = Field(description="The entry.")
    at: Time | None = Field(description="When.")
    who: str = Field(description="The name of who did it.", examples=["local"])
    role: str = Field(description="The role that they had.", examples=["operator"])
    action: str = Field(description="What was done.", examples=["tasks retry"])
    subject: str = Field(description="To what.", examples=["task 12"])
    verdict: Literal["done", "refused", "failed"] = Field(description="How it ended; refused: the role may not.")
    detail: Any = Field(description="What changed: a count, a diff, a reason; without secrets.")
