"""What chains share: storages, saved chains, variables."""

from __future__ import annotations

from typing import Literal, cast

from pydantic import AliasChoices, Field

from connector.config.section import Chained, Entry, Steps
from connector.model import JSON

__all__ = ["Chain", "Storage", "Variable"]


class Storage(Entry):
    """Where chains keep documents between runs."""

    path: str | None = Field(
        default=None, description="A folder, beside the configuration unless absolute; storage/NAME unless given."
    )


class Chain(Entry):
    """A saved chain."""

    summary: str = Field(default="", description="One sentence on what it does.")
    parameters: dict[str, JSON] = Field(
        default_factory=dict[str, JSON], description="What its users may tell it: {name: {type, description, default}}."
    )
    raw_steps: Chained = Field(validation_alias=AliasChoices("steps"), description="What it does, step by step.")

    @property
    def steps(self) -> Steps:
        return cast("Steps", self.resolved(self.raw_steps, "steps"))

    def as_document(self) -> JSON:
        """The chain as the engine takes it: its steps, and its parameters where it has any."""
        return {"parameters": dict(self.parameters), "steps": self.steps} if self.parameters else self.steps


class Variable(Entry):
    """A value that chains reach as `@{variables.NAME}`; the environment may give it under the same name."""

    type: Literal["string", "integer", "number", "boolean", "object", "array"] | None = Field(
        default=None, description="What it must be."
    )
    default: JSON = Field(default=None, description="Its value when the environment gives none.", repr=False)
    secret: bool = Field(default=False, description="Whether it is never shown.")
