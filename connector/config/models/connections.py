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
    """Where the next reading goes on; templates of the subscriber see it as `cursor`."""

    field: str = Field(description="A JMESPath expression for the value in a document; the highest one is kept.")
    start: JSON = Field(default=None, description="Its value for the first reading.")
    overlap: Duration = Field(
        default=0.0, description="How far behind it the next reading begins, for what shows up late: 30s, 15m, 6h, 1d."
    )


class Incoming(WithChain, Entry):
    """Where documents come from, and what becomes of each."""

    subscriber: Component = Field(description="What reads the documents.")
    raw_input: Chained = Field(
        default_factory=list[JSON],
        validation_alias=AliasChoices("input"),
        description="A chain that makes the request to read with; an empty result means there is nothing to read.",
    )
    cursor: Cursor | None = Field(default=None, description="By what the next reading goes on where this one ended.")
    mode: Literal["incremental", "full"] = Field(
        default="incremental", description="Whether a run reads what is new since the last one, or everything."
    )
    disabled: bool = Field(default=False, description="Whether it is only kept.")

    @property
    def input(self) -> Steps:
        return cast("Steps", self.resolve(self.raw_input, "input"))


class Response(WithChain):
    """What becomes of an answer, or of an error."""

    raw_chain: Chained = Field(
        default_factory=list[JSON],
        validation_alias=AliasChoices("chain"),
        description="The chain that the outcome, {status, headers, body}, goes through.",
    )
    publisher: Component | None = Field(default=None, description="What takes the result.")


class Batch(Section):
    """When a batch is full; whatever comes first counts."""

    count: int = Field(default=50_000, ge=1, le=50_000, description="Requests.")
    bytes: int = Field(default=200_000_000, ge=1, le=200_000_000, description="Bytes of its file.")
    age: Duration = Field(default=300.0, description="How long its first request waits for others.")
    window: Literal["24h"] = Field(default="24h", description="Within which time it is to be done.")
    delete_output: bool = Field(
        default=False, description="Whether the API's files of answers are removed once every task has its own."
    )


class Flex(Section):
    """How requests go at the flex tier: cheaper, slower, and sometimes not at all for a while."""

    timeout: Duration = Field(default=900.0, description="How long one call may take.")
    default_after: int | None = Field(
        default=None, ge=1, description="After how many attempts a request goes at the usual tier, and price."
    )


class Outgoing(WithChain, Entry):
    """How documents become requests, and what becomes of the answers."""

    raw_chain: Chained = Field(
        default_factory=list[JSON],
        validation_alias=AliasChoices("chain"),
        description="The chain that makes a request, {path, query, payload, headers}, of each document.",
    )
    raw_request: dict[str, JSON] | None = Field(
        default=None,
        validation_alias=AliasChoices("request"),
        description="A template {path, query, payload, headers} that fills what the document leaves out.",
    )
    publisher: Component = Field(description="What takes the requests.")
    answer: Response | None = Field(default=None, description="What becomes of the answers.")
    error: Response | None = Field(default=None, description="What becomes of calls that are not done.")
    on_unknown: Literal["hold", "retry"] | None = Field(
        default=None,
        description="Whether a costly call whose end nobody saw is held, or sent again; else the client's.",
    )
    validation: Literal["strict", "spelling", "known", "warn", "off"] | None = Field(
        default=None,
        validation_alias=AliasChoices("validate"),
        description="How hard requests are checked; else the client's.",
    )
    transport: Literal["single", "batch", "background", "flex"] = Field(
        default="single",
        description="One call a request; or through the Batch API, as background responses, or at the flex tier.",
    )
    batch: Batch = Field(default_factory=Batch, description="When a batch is full, for `transport: batch`.")
    flex: Flex = Field(default_factory=Flex, description="How calls at the flex tier are made, for `transport: flex`.")
    concurrency: int = Field(default=16, ge=1, le=10_000, description="Documents under way at a time.")
    disabled: bool = Field(default=False, description="Whether it is only kept.")

    @property
    def request(self) -> dict[str, JSON] | None:
        return cast("dict[str, JSON] | None", self.resolve(self.raw_request, "request"))
