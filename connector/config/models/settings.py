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
    """A storage in which chains keep documents between runs."""

    path: str | None = Field(
        default=None, description="A folder, relative to the configuration unless absolute; storage/NAME by default."
    )


class Chain(Entry):
    """A saved chain."""

    summary: str = Field(default="", description="One sentence on what it does.")
    parameters: dict[str, JSON] = Field(
        default_factory=dict[str, JSON],
        description="The parameters that it takes: {name: {type, description, default}}.",
    )
    makes: dict[str, dict[str, str]] = Field(
        default_factory=dict[str, dict[str, str]],
        description="Which fields of which request its parameters fill, so that lint can tell what a model refuses:"
        " {operation: {field: parameter}}.",
    )
    raw_steps: Chained = Field(validation_alias=AliasChoices("steps"), description="The steps of the chain.")

    @property
    def steps(self) -> Steps:
        return cast("Steps", self.resolve(self.raw_steps, "steps"))

    def as_document(self) -> JSON:
        """The chain as the engine takes it: its steps, and its parameters where it has any."""
        return {"parameters": dict(self.parameters), "steps": self.steps} if self.parameters else self.steps


class Variable(Entry):
    """A value that chains read as `@{variables.NAME}`; an environment variable of that name overrides it."""

    type: Literal["string", "integer", "number", "boolean", "object", "array"] | None = Field(
        default=None, description="The type of its value."
    )
    default: JSON = Field(default=None, description="Its value unless the environment sets one.", repr=False)
    secret: bool = Field(default=False, description="Whether it is masked in all output.")


DAY = 86400.0


class Retention(Section):
    """How long ended tasks are kept, such as 30s, 15m, 6h, 1d, or forever."""

    finished: RetentionTime = Field(default=30 * DAY, description="Tasks that are done.")
    failed: RetentionTime = Field(default=90 * DAY, description="Tasks that failed.")
    skipped: RetentionTime = Field(default=30 * DAY, description="Tasks that were skipped, by a chain or by hand.")
    unknown: RetentionTime = Field(default=None, description="Tasks with an unknown outcome; forever by default.")


class Price(Section):
    """The price of a model's tokens, in the one currency of all prices."""

    input: float = Field(default=0.0, ge=0, description="The price of input tokens.")
    cached_input: float | None = Field(
        default=None, ge=0, description="The price of cached input tokens; by default that of input."
    )
    output: float = Field(default=0.0, ge=0, description="The price of output tokens, reasoning included.")
    priority: float = Field(default=2.0, ge=0, description="The factor for the priority tier, and for unknown tiers.")
    regional: float | None = Field(
        default=None,
        ge=0,
        description="The factor at a regional address; by default that of OpenAI's model of this name, or else 1.",
    )
    per: int = Field(default=1_000_000, ge=1, description="The number of tokens that a price is for.")


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


def _listening(text: str | None) -> str | None:
    if text is None:
        return None
    host, separator, port = text.rpartition(":")
    is_bare = ":" in host and not (host.startswith("[") and host.endswith("]"))
    if not host or not separator or is_bare or not (port.isascii() and port.isdigit()) or int(port) > MAX_PORT:
        raise ValueError("a host and a port such as 127.0.0.1:9464 or [::1]:9464 is allowed, or none")
    return text


MAX_PORT = 65535
_ENDPOINT = "the URL of an OTLP receiver such as http://127.0.0.1:4318/v1/traces"
Listening = Annotated[str | None, BeforeValidator(_none), AfterValidator(_listening)]
Endpoint = Annotated[str | None, BeforeValidator(_none), AfterValidator(_endpoint)]


class Telemetry(Section):
    """Traces, metrics and logs."""

    traces: Endpoint = Field(default=None, description="The URL for spans, by OTLP over HTTP; none by default.")
    metrics: Endpoint = Field(default=None, description="The URL for metrics, by OTLP over HTTP; none by default.")
    prometheus: Listening = Field(
        default=None,
        description="The host and port where `run` shows its counters at /metrics, without a token; none by default. "
        "Of several workers each takes the next port.",
    )
    service_name: str = Field(
        default="openai-connector", min_length=1, description="The name of this service in traces and metrics."
    )
    bodies: bool = Field(default=False, description="Whether spans and logs hold bodies, with secrets masked.")
    logs: Literal["text", "json", "auto"] = Field(
        default="auto", description="How log lines are written; auto: text on a terminal, JSON elsewhere."
    )
