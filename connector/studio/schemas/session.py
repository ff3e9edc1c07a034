"""The session: who is signed in, and what the studio shows."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from connector.studio.roles import Role
from connector.studio.schemas.base import Answer, Received, Time

__all__ = ["Attention", "ConfigurationName", "RunnerState", "SessionInfo", "SignIn"]


class SignIn(Received):
    """What signs somebody in: the code of a printed link, or a token."""

    code: str | None = Field(
        default=None,
        max_length=200,
        description="The code of the link that `openai-connector studio` prints; it works once.",
    )
    token: str | None = Field(default=None, max_length=500, description="A token of `studio.tokens`.")


class ConfigurationName(Answer):
    """Which configuration this is."""

    name: str = Field(description="Its short name: the folder's, or the file's where it is not connector.yaml.")
    path: str = Field(description="Its file or folder.")


class RunnerState(Answer):
    """Whether something delivers the tasks."""

    alive: bool = Field(description="Whether a run is under way, here or in another process.")
    since: Time | None = Field(default=None, description="Since when; null when none is.")


class Attention(Answer):
    """How much needs a person."""

    failed: int = Field(description="Tasks that failed.")
    unknown: int = Field(description="Tasks whose calls may have taken effect.")
    paused: int = Field(description="Routes that are paused.")


class SessionInfo(Answer):
    """Who is signed in, and what this studio shows."""

    name: str = Field(description="Who is signed in.", examples=["local"])
    role: Role = Field(description="What they may do.")
    csrf: str | None = Field(description="What unsafe requests of the session repeat in X-CSRF-Token; null for tokens.")
    configuration: ConfigurationName
    environment: Literal["sandbox", "api", "mixed", "none"] = Field(
        description="Whether the clients call a sandbox, the API, or some of each; none without clients."
    )
    runner: RunnerState
    version: str = Field(description="The version of the connector.")
    attention: Attention
