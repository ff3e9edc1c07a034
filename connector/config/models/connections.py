"""Connections: where documents come from, and where they go."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, cast

from pydantic import AliasChoices, Field

from connector.config.models.measures import Duration
from connector.config.models.section import Chained, Component, Entry, Section, Steps, WithChain
from connector.model import JSON

if TYPE_CHECKING:
    pass

__all__ = ["Batch", "Cursor", "Flex", "Incoming", "Outgoing", "Response"]


class Cursor(Section):
    """Where the next read continues; templates of the subscriber see it as `cursor`."""

    field: str = Field(description="A JMESPath expression for a value in each document; the highest value is kept.")
    start: JSON = Field(default=None, description="Its value for the first read.")
    overlap: Duration = Field(
        default=0.0, description="How far before it the next read starts, to catch late documents: 30s, 15m, 6h, 1d."
    )


class Incoming(WithChain, Entry):
    """An incoming connection: where documents come from, and the chain that each goes through."""

    subscriber: Component = Field(description="The subscriber that reads the documents.")
    raw_input: Chained = Field(
        default_factory=list[JSON],
        validation_alias=AliasChoices("input"),
        description="A chain that makes the request for reading; an empty result skips the read.",
    )
    cursor: Cursor | None = Field(
        default=None, description="The value by which the next read continues where this one ended."
    )
    mode: Literal["incremental", "full"] = Field(
        default="incremental", description="Whether a run reads what is new since the last one, or everything."
    )
    disabled: bool = Field(default=False, description="Whether it is ignored: kept in the file, and not used.")

    @property
    def input(self) -> Steps:
        return cast("Steps", self.resolve(self.raw_input, "input"))


class Response(WithChain):
    """What happens to an answer or an error."""

    raw_chain: Chained = Field(
        default_factory=list[JSON],
        validation_alias=AliasChoices("chain"),
        description="The chain for the outcome, {status, headers, body}.",
    )
    publisher: Component | None = Field(default=None, description="The publisher that sends the result.")


class Batch(Section):
    """When a batch is full; the first limit that is reached counts."""

    count: int = Field(default=50_000, ge=1, le=50_000, description="The largest number of requests.")
    bytes: int = Field(default=200_000_000, ge=1, le=200_000_000, description="The largest size of its file, in bytes.")
    age: Duration = Field(default=300.0, description="The longest time that its first request waits for others.")
    window: Literal["24h"] = Field(default="24h", description="The time within which the API completes it.")
    delete_output: bool = Field(
        default=False, description="Whether the API's output files are deleted once every task has its answer."
    )


class Flex(Section):
    """How requests use the flex tier: cheaper, slower, and at times unavailable."""

    timeout: Duration = Field(default=900.0, description="The time limit of one call.")
    default_after: int | None = Field(
        default=None, ge=1, description="After how many attempts a request uses the default tier, at its price."
    )


class Outgoing(WithChain, Entry):
    """An outgoing connection: how documents become requests, and what happens to the answers."""

    raw_chain: Chained = Field(
        default_factory=list[JSON],
        validation_alias=AliasChoices("chain"),
        description="The chain that turns each document into a request, {path, query, payload, headers}.",
    )
    raw_request: dict[str, JSON] | None = Field(
        default=None,
        validation_alias=AliasChoices("request"),
        description="A template {path, query, payload, headers} for what the documents leave out.",
    )
    publisher: Component = Field(description="The publisher that sends the requests.")
    answer: Response | None = Field(default=None, description="What happens to the answers.")
    error: Response | None = Field(default=None, description="What happens to calls that fail.")
    on_unknown: Literal["hold", "retry"] | None = Field(
        default=None,
        description="Whether a paid call with an unknown outcome is held or sent again; by default as its client says.",
    )
    validation: Literal["strict", "spelling", "known", "warn", "off"] | None = Field(
        default=None,
        validation_alias=AliasChoices("validate"),
        description="How strictly requests are checked; by default as the client says.",
    )
    transport: Literal["single", "batch", "background", "flex"] = Field(
        default="single",
        description="How requests are sent: one call each, by the Batch API, as background responses, or as flex.",
    )
    batch: Batch = Field(default_factory=Batch, description="When a batch is full, for `transport: batch`.")
    flex: Flex = Field(default_factory=Flex, description="How the flex tier is used, for `transport: flex`.")
    window: Literal["2h", "8h"] | None = Field(
        default=None,
        description="By when a response is made, for `transport: background`: 2h costs 30 % less, 8h 40 %.",
    )
    concurrency: int = Field(
        default=16, ge=1, le=10_000, description="The largest number of documents in progress at a time."
    )
    disabled: bool = Field(default=False, description="Whether it is ignored: kept in the file, and not used.")

    @property
    def request(self) -> dict[str, JSON] | None:
        return cast("dict[str, JSON] | None", self.resolve(self.raw_request, "request"))
