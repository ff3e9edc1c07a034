"""The MCP server: which tools it offers, and how it remembers their calls."""

from __future__ import annotations

from pydantic import AliasChoices, Field

from connector.config.models.measures import Duration
from connector.config.models.section import Names, Section

__all__ = ["Mcp"]


class Mcp(Section):
    """What `openai-connector mcp` offers to MCP clients."""

    operations: Names = Field(
        default=(),
        description="The operations that are tools, such as `chat completions create`, `models *` or `* list`.",
    )
    outgoing: Names | None = Field(
        default=None, description="The outgoing connections that are tools; all by default, none for []."
    )
    prompts: Names | None = Field(
        default=None,
        description="The chains that are prompts: saved or ready-made ones that make messages; `chat-prompt` and"
        " `vision-message` by default.",
    )
    read_only: bool = Field(
        default=False, description="Whether only tools are offered that change nothing and cost nothing."
    )
    client: str | None = Field(
        default=None, description="The client that operations are called with; the only or first one by default."
    )
    instructions: str = Field(default="", description="What the model should know before it uses the tools.")
    raw_engine: str | None = Field(
        default=None,
        validation_alias=AliasChoices("engine"),
        description="Where calls are noted, so that a repeat after a crash is not paid for twice: sqlite:///FILE for"
        " one process, postgresql://… for any number; without it they are noted until the process ends.",
        repr=False,
    )
    wait: Duration = Field(default=600.0, description="How long a client is kept waiting for a call at most.")
    equal_within: Duration = Field(
        default=86_400.0,
        description="For how long a call without a key of its client's is taken for the repeat of an equal one whose"
        " outcome is unknown, or was never told.",
    )
    attempts: int = Field(
        default=3, ge=1, le=1000, description="The number of attempts before a call fails that may be repeated."
    )
    result_bytes: int = Field(
        default=65_536,
        ge=1024,
        le=16_777_216,
        description="The largest result that is shown whole; of a larger one the beginning is shown, with a link.",
    )
    schema_bytes: int = Field(
        default=150_000,
        ge=4096,
        le=10_000_000,
        description="About how large the schemas of all tools may be together; they are shortened to fit.",
    )
