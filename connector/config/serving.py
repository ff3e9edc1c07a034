"""What the gateway is told: where it listens, and who may call what through it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from hashlib import sha256
from ipaddress import ip_address
from typing import Annotated

from pydantic import AfterValidator, AliasChoices, BeforeValidator, Field

from connector.config.measures import Budget, Duration
from connector.config.section import Entry, Names, Section, nothing_is_empty
from connector.errors import ConfigurationError

__all__ = ["HASH", "SPENT", "Gateway", "GatewayToken", "Tls", "hashed", "is_hash"]

SPENT = ".gateway-spent.json"
"""Beside the configuration: what the gateway's tokens spent in the period of their budgets."""

SCHEME = "sha256:"
HASH = re.compile(r"sha256:[0-9a-fA-F]{64}")
LISTEN = re.compile(r"(\[[0-9a-fA-F:.]+\]|[^\s:\[\]/]+):(\d{1,5})")


def hashed(token: str) -> str:
    """What stands in a configuration for a gateway token: tokens are long and random, so one pass is enough."""
    # A header may hold bytes that are no UTF-8; they are no token's, and are no fault of ours either.
    return SCHEME + sha256(token.encode(errors="surrogateescape")).hexdigest()


def is_hash(text: str) -> bool:
    """Whether a text is what `hashed` makes."""
    return HASH.fullmatch(text) is not None


def _listen(text: str) -> str:
    found = LISTEN.fullmatch(text)
    if found is None or int(found[2]) > 65535:
        raise ValueError(f"found {text[:60]!r}; an address and a port such as 127.0.0.1:8788 are allowed")
    return text


class Tls(Section):
    """What the gateway shows to those who call it over HTTPS."""

    certificate: str = Field(description="A PEM file with the certificate and those that vouch for it.")
    key: str = Field(description="A PEM file with the certificate's key.")


class GatewayToken(Entry):
    """Somebody who may call through the gateway."""

    raw_hash: str = Field(
        validation_alias=AliasChoices("hash"),
        description="sha256: and the SHA-256 of the token in hexadecimal; the token itself stands nowhere.",
        repr=False,
    )
    clients: Names | None = Field(default=None, description="The clients that may be used; all of them unless given.")
    allow: Names | None = Field(
        default=None,
        description="What may be called, such as `chat completions create`, `models *`, `* list` or `POST /custom/*`;"
        " every operation unless given.",
    )
    models: Names | None = Field(
        default=None,
        description="The models that may be used, such as `gpt-5-mini` or `gpt-5-nano*`; all of them unless given.",
    )
    requests_per_minute: int | None = Field(default=None, ge=1, description="Requests a minute.")
    tokens_per_minute: int | None = Field(default=None, ge=1, description="Tokens a minute, sent and received.")
    budget: Budget | None = Field(default=None, description="What may be spent in a period.")
    unbounded_cost: bool = Field(
        default=False,
        description="Whether calls are allowed, in spite of a budget, whose cost cannot be known from the"
        " request: batches, evals, fine-tuning, videos, realtime sessions, hosted tools, stored prompts.",
    )
    metrics: bool = Field(default=False, description="Whether /metrics and /usage may be read with it.")
    disabled: bool = Field(default=False, description="Whether it is only kept.")

    @property
    def hash(self) -> str:
        """The hash as it is now."""
        found = str(self.resolved(self.raw_hash, "hash", for_client=True))
        if not is_hash(found):
            raise ConfigurationError(
                "a gateway token's hash is no hash; sha256: and 64 hexadecimal digits are needed;"
                " `openai-connector gateway-token NAME` makes a token and its hash"
            )
        return found.lower()


class Gateway(Section):
    """The server that passes calls on with the clients' credentials."""

    listen: Annotated[str, AfterValidator(_listen)] = Field(
        default="127.0.0.1:8788", description="Address and port; another address than loopback needs tls and tokens."
    )
    tls: Tls | None = Field(default=None, description="For HTTPS.")
    hosts: Names = Field(
        default=(), description="The names that callers may use for it, beside the address that it listens on."
    )
    headers: Names = Field(
        default=(),
        description="Headers of callers that go on beside those of the API and of tracing, such as `X-App` or"
        " `Helicone-*`.",
    )
    body_bytes: int = Field(default=1024**3, ge=1, description="Bytes that a request's body may have.")
    connections: int = Field(default=1000, ge=1, le=100_000, description="Connections at a time.")
    connections_per_address: int | None = Field(
        default=None,
        ge=1,
        le=100_000,
        description="Connections of one address at a time, or of one IPv6 network of 64 bits; half of connections"
        " unless given. Raise it where a load balancer stands in front.",
    )
    grace: Duration = Field(default=30.0, description="How long calls under way may go on when it is told to stop.")
    log_bodies: bool = Field(default=False, description="Whether bodies are logged, without secrets.")
    tokens: Annotated[dict[str, GatewayToken], BeforeValidator(nothing_is_empty)] = Field(
        default_factory=dict[str, GatewayToken], description="Who may call, by name."
    )

    @property
    def host(self) -> str:
        """The address that it listens on."""
        return self.listen.rpartition(":")[0].strip("[]")

    @property
    def port(self) -> int:
        """The port that it listens on; 0 for any."""
        return int(self.listen.rpartition(":")[2])

    @property
    def most_of_one_address(self) -> int:
        """Connections that one address may have at a time."""
        return self.connections_per_address or max(1, self.connections // 2)

    @property
    def loopback(self) -> bool:
        """Whether only this machine can reach it."""
        if self.host == "localhost":
            return True
        try:
            return ip_address(self.host).is_loopback
        except ValueError:
            return False

    @property
    def active_tokens(self) -> Mapping[str, GatewayToken]:
        """The tokens that are in force."""
        return {name: token for name, token in self.tokens.items() if not token.disabled}
