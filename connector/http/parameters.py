"""The parameters of every client, each field described once."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, SecretStr

from connector.http.identity.parameters import ClientCredentials, Identity
from connector.http.policy import Rule
from connector.http.sections import HeaderText, Seconds, Secret, Section, Wait, environment

__all__ = [
    "VALIDATION",
    "Certificate",
    "Common",
    "HeaderText",
    "Limits",
    "Retry",
    "Secret",
    "Section",
    "Timeouts",
    "environment",
]

PerMinute = Annotated[float, Field(gt=0, allow_inf_nan=False)]

VALIDATION = (
    "How requests are checked: everything unknown refused (strict), misspellings refused and novelties passed with a "
    "warning (spelling), unknown fields passed however they are spelt (known), all only warned of, or not at all."
)


class Timeouts(Section):
    """How long a call may take."""

    connect: Seconds = Field(default=5.0, description="Seconds to find the host, connect and agree on TLS.")
    read: Seconds = Field(
        default=600.0, description="Seconds without a byte, in either direction, before a call is given up."
    )
    total: Seconds = Field(
        default=600.0, description="Seconds for a whole call with its retries, queueing not counted."
    )
    settling: Wait = Field(
        default=30.0,
        description="Seconds after a call's end in which a list comes to show what it made, if anything.",
    )


class Retry(Section):
    """What is tried again, and when."""

    max_retries: int = Field(default=2, ge=0, le=100, description="Tries after the first one.")
    delay: Wait = Field(
        default=0.5, description="Seconds before the first retry; jitter takes up to a quarter of it away."
    )
    backoff: Literal["fixed", "exponential"] = Field(
        default="exponential", description="Whether each wait doubles the last."
    )
    max_delay: Wait = Field(
        default=8.0, description="The longest wait between tries, unless the server asks for a longer one."
    )
    all_errors: bool = Field(
        default=False, description="Whether every refusal is tried again, even one that cannot pass."
    )
    on_unknown: Literal["hold", "retry"] = Field(
        default="hold",
        description="Whether a costly call without a known end is held, or sent again and perhaps paid twice.",
    )


class Limits(Section):
    """How fast a client may go."""

    concurrency: int = Field(default=256, ge=1, le=10_000, description="Calls under way at a time.")
    requests_per_minute: PerMinute | None = Field(
        default=None, description="Requests started in a minute, evenly spread."
    )
    tokens_per_minute: PerMinute | None = Field(
        default=None, description="Tokens in a minute: estimated from the request, corrected by the answer's usage."
    )


class Certificate(Section):
    """What proves to a server who the client is, in TLS."""

    file: str = Field(min_length=1, description="A PEM file with the certificate, then those that lead to its root.")
    key: str = Field(min_length=1, description="A PEM file with its private key; it may be the same file.")
    password: SecretStr | None = Field(default=None, description="What the key is encrypted with.")


class Common(Section):
    """The parameters that all prototypes share."""

    timeouts: Timeouts = Field(default=Timeouts(), description="How long a call may take.")
    retry: Retry = Field(default=Retry(), description="What is tried again, and when.")
    limits: Limits = Field(default=Limits(), description="How fast the client may go.")
    errors: tuple[Rule, ...] = Field(default=(), description="Error rules that come before the built-in ones.")
    headers: dict[str, Secret] = Field(
        default_factory=dict[str, SecretStr], description="Headers that every request carries."
    )
    proxy: SecretStr | None = Field(default=None, description="The proxy's URL; the environment's proxies are ignored.")
    ca_bundle: str | None = Field(default=None, description="A PEM file of authorities to trust instead of certifi's.")
    certificate: Certificate | None = Field(
        default=None,
        description="The client's certificate for hosts that demand one (mTLS); read again when changed.",
    )
    allowed_hosts: tuple[str, ...] = Field(
        default=(), description="Hosts that may be called over plain http or at a link-local address."
    )
    logging: Literal["none", "basic", "full"] = Field(
        default="basic",
        description="What is logged: a line a call (basic), also headers and bodies without secrets (full), or none.",
    )
    transport: Literal["aiohttp", "httpx"] = Field(default="aiohttp", description="The HTTP engine below the client.")
    validation: Literal["strict", "spelling", "known", "warn", "off"] = Field(
        default="spelling",
        alias="validate",
        description=VALIDATION,
    )
    on_removed: Literal["warn", "refuse", "successor"] = Field(
        default="warn",
        description="What becomes of a call that the API has removed: sent with a warning, as another server may take "
        "it; refused; or made to the operation that does its work today, with the answer in the old shape.",
    )
    embeddings: Literal["base64", "float"] = Field(
        default="base64", description="How embeddings travel when the request does not say; you get floats either way."
    )
    max_answer_bytes: int = Field(
        default=256 * 1024**2, ge=1024, description="The largest answer that is kept in memory."
    )
    max_file_bytes: int = Field(
        default=16 * 1024**3, ge=1024, description="The largest answer that is written to a file."
    )
    file_roots: tuple[str, ...] = Field(
        default=(".",), description="Folders and URLs below which files may be uploaded."
    )

    @property
    def workload(self) -> Identity | ClientCredentials | None:
        """The workload identity that gives access tokens in place of a key; prototypes that know one say so."""
        return None
