"""Saved chains, storages and variables; prices, retention and telemetry."""

from __future__ import annotations

from typing import Annotated, Literal, cast
from urllib.parse import urlsplit

from pydantic import AfterValidator, AliasChoices, BeforeValidator, Field

from connector.config.models.measures import RetentionTime
from connector.config.models.section import Chained, Entry, Section, Steps
from connector.model import JSON

__all__ = ["Chain", "Currency", "Price", "Retention", "Storage", "Telemetry", "Variable"]


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
        return cast("Steps", self.resolve(self.raw_steps, "steps"))

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


DAY = 86400.0


class Retention(Section):
    """How long tasks that came to an end are kept: such as 30s, 15m, 6h, 1d, or forever."""

    finished: RetentionTime = Field(default=30 * DAY, description="Tasks that were done.")
    failed: RetentionTime = Field(default=90 * DAY, description="Tasks that failed.")
    skipped: RetentionTime = Field(default=30 * DAY, description="Tasks that a chain or somebody skipped.")
    unknown: RetentionTime = Field(default=None, description="Tasks whose end nobody saw; forever unless given.")


class Price(Section):
    """What tokens of a model cost, in one currency for all models."""

    input: float = Field(default=0.0, ge=0, description="What is sent.")
    cached_input: float | None = Field(default=None, ge=0, description="What is sent and was cached; else as input.")
    output: float = Field(default=0.0, ge=0, description="What comes back, reasoning included.")
    priority: float = Field(
        default=2.0, ge=0, description="What the price is multiplied by on the priority tier, and on unknown ones."
    )
    per: int = Field(default=1_000_000, ge=1, description="How many tokens that is for.")


def _currency(text: str) -> str:
    if len(text) != 3 or not text.isascii() or not text.isupper():
        raise ValueError("three capital letters such as USD or EUR are allowed")
    return text


Currency = Annotated[str, AfterValidator(_currency)]


def _none(value: JSON) -> JSON:
    return None if value == "none" else value


def _endpoint(text: str | None) -> str | None:
    if text is None:
        return None
    parts = urlsplit(text)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError(f"{_ENDPOINT} is allowed, or none")
    if parts.username or parts.password:
        raise ValueError(f"{_ENDPOINT} without a name or password is allowed; OTEL_EXPORTER_OTLP_HEADERS takes those")
    return text


_ENDPOINT = "the URL of an OTLP receiver such as http://127.0.0.1:4318/v1/traces"
Endpoint = Annotated[str | None, BeforeValidator(_none), AfterValidator(_endpoint)]


class Telemetry(Section):
    """What is told about runs, and to whom."""

    traces: Endpoint = Field(default=None, description="Where spans go, by OTLP over HTTP; none unless given.")
    metrics: Endpoint = Field(default=None, description="Where metrics go, by OTLP over HTTP; none unless given.")
    service_name: str = Field(default="openai-connector", min_length=1, description="What this is called there.")
    bodies: bool = Field(default=False, description="Whether spans and logs hold bodies, without secrets.")
    logs: Literal["text", "json", "auto"] = Field(
        default="auto", description="How log lines are written; auto: text on a terminal, JSON elsewhere."
    )
