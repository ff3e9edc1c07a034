"""What every client can be told, each field described once."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr
from pydantic.alias_generators import to_camel

from connector.http.rules import Rule

__all__ = ["Common", "Limits", "Retry", "Section", "Timeouts", "environment"]

Seconds = Annotated[float, Field(gt=0, le=86_400, allow_inf_nan=False)]
Wait = Annotated[float, Field(ge=0, le=3_600, allow_inf_nan=False)]
PerMinute = Annotated[float, Field(gt=0, allow_inf_nan=False)]


def environment(variable: str, *, unless: str = "") -> dict[str, Any]:
    """Marks a field as taken from an environment variable when neither it nor the field named by `unless` is given."""
    return {"environment": variable, "unless": unless}


class Section(BaseModel):
    """A group of parameters: frozen, closed, in snake_case or camelCase, and silent about values in its errors."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, hide_input_in_errors=True, alias_generator=to_camel, populate_by_name=True
    )


class Timeouts(Section):
    """How long a call may take."""

    connect: Seconds = Field(5.0, description="Seconds to find the host, connect and agree on TLS.")
    read: Seconds = Field(600.0, description="Seconds without a byte, in either direction, before a call is given up.")
    total: Seconds = Field(600.0, description="Seconds for a whole call with its retries, queueing not counted.")


class Retry(Section):
    """What is tried again, and when."""

    max_retries: int = Field(2, ge=0, le=100, description="Tries after the first one.")
    delay: Wait = Field(0.5, description="Seconds before the first retry; jitter takes up to a quarter of it away.")
    backoff: Literal["fixed", "exponential"] = Field("exponential", description="Whether each wait doubles the last.")
    max_delay: Wait = Field(8.0, description="The longest wait between tries, unless the server asks for a longer one.")
    all_errors: bool = Field(False, description="Whether every refusal is tried again, even one that cannot pass.")
    on_unknown: Literal["hold", "retry"] = Field(
        "hold", description="What becomes of a costly call whose end nobody saw: held, or sent again and perhaps paid twice."
    )  # fmt: skip


class Limits(Section):
    """How fast a client may go."""

    concurrency: int = Field(256, ge=1, le=10_000, description="Calls under way at a time.")
    requests_per_minute: PerMinute | None = Field(None, description="Requests started in a minute, evenly spread.")
    tokens_per_minute: PerMinute | None = Field(
        None, description="Tokens in a minute: estimated from the request, corrected by the answer's usage."
    )


class Common(Section):
    """The parameters that all prototypes share."""

    timeouts: Timeouts = Field(default_factory=Timeouts, description="How long a call may take.")
    retry: Retry = Field(default_factory=Retry, description="What is tried again, and when.")
    limits: Limits = Field(default_factory=Limits, description="How fast the client may go.")
    errors: tuple[Rule, ...] = Field((), description="Error rules that come before the built-in ones.")
    headers: dict[str, SecretStr] = Field(
        default_factory=dict[str, SecretStr], description="Headers that every request carries."
    )
    proxy: SecretStr | None = Field(None, description="The proxy's URL; the environment's proxies are ignored.")
    ca_bundle: str | None = Field(None, description="A PEM file of authorities to trust instead of certifi's.")
    allowed_hosts: tuple[str, ...] = Field(
        (), description="Hosts that may be called over plain http or at a link-local address."
    )
    logging: Literal["none", "basic", "full"] = Field(
        "basic", description="One line a call (basic), also redacted headers and bodies at debug level (full), or none."
    )
    transport: Literal["aiohttp", "httpx"] = Field("aiohttp", description="The HTTP engine below the client.")
    validation: Literal["strict", "known", "warn", "off"] = Field(
        "strict",
        alias="validate",
        description="How requests are checked: unknown fields refused, let through with a warning, only warnings, or not.",
    )
    embeddings: Literal["base64", "float"] = Field(
        "base64", description="How embeddings travel when the request does not say; you get floats either way."
    )
    max_answer_bytes: int = Field(256 * 1024**2, ge=1024, description="The largest answer that is kept in memory.")
    max_file_bytes: int = Field(16 * 1024**3, ge=1024, description="The largest answer that is written to a file.")
    file_roots: tuple[str, ...] = Field((".",), description="Folders and URLs below which files may be uploaded.")
