"""The gateway: where it listens, and who may call what through it."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fnmatch import translate
from hashlib import sha256
from ipaddress import ip_address
from typing import TYPE_CHECKING, Annotated

from pydantic import AfterValidator, AliasChoices, BeforeValidator, Field

from connector.catalogue.index import normalize_name
from connector.config.models.measures import Budget, Duration
from connector.config.models.origins import Origins
from connector.config.models.section import Entry, Names, Section, none_as_empty
from connector.errors import ConfigurationError, UnknownName

if TYPE_CHECKING:
    from connector.catalogue import Catalogue
    from connector.catalogue.operation import Operation

__all__ = [
    "HASH",
    "MCP_SPENDING_FILE",
    "SPENDING_FILE",
    "Gateway",
    "GatewayToken",
    "OperationRule",
    "PathRule",
    "Rule",
    "Tls",
    "check_listen",
    "hands_out_credentials",
    "hash_token",
    "is_administration",
    "is_hash",
    "is_loopback",
    "parse_rule",
]

SPENDING_FILE = ".gateway-spent.json"
"""The file beside the configuration with what tokens spent in the current period of their budgets."""
MCP_SPENDING_FILE = ".mcp-spent.json"
"""The same of the MCP server, which counts by itself."""
SCHEME = "sha256:"
HASH = re.compile(r"sha256:[0-9a-fA-F]{64}")
SHORTEST_KEY = 32
LISTEN = re.compile(r"(\[[0-9a-fA-F:.]+\]|[^\s:\[\]/]+):(\d{1,5})")


def hash_token(token: str) -> str:
    """Return the hash of a gateway token; tokens are long and random, so one pass is enough."""
    # A header may hold bytes that are not UTF-8: no token has them, and they must not raise an error.
    return SCHEME + sha256(token.encode(errors="surrogateescape")).hexdigest()


def is_hash(text: str) -> bool:
    """Return whether a text is a hash that `hash_token` makes."""
    return HASH.fullmatch(text) is not None


def check_listen(text: str) -> str:
    """Return an address with its port; raise ValueError for any other text."""
    found = LISTEN.fullmatch(text)
    if found is None or int(found[2]) > 65535:
        raise ValueError(f"found {text[:60]!r}; an address and a port such as 127.0.0.1:8788 are allowed")
    return text


def is_loopback(host: str) -> bool:
    """Return whether only this machine can reach a server that listens on an address."""
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


class Tls(Section):
    """A server's certificate for HTTPS."""

    certificate: str = Field(description="A PEM file with the certificate and its chain.")
    key: str = Field(description="A PEM file with the certificate's private key.")


class GatewayToken(Entry):
    """A token with which a program may call through the gateway."""

    raw_hash: str = Field(
        validation_alias=AliasChoices("hash"),
        description="sha256: and the SHA-256 of the token in hexadecimal; the token itself is not stored.",
        repr=False,
    )
    clients: Names | None = Field(default=None, description="The clients that it may use; all by default.")
    allow: Names | None = Field(
        default=None,
        description="The operations that it may call, such as `chat completions create`, `models *`, `* list` or"
        " `POST /custom/*`; all by default.",
    )
    models: Names | None = Field(
        default=None,
        description="The models that it may use, such as `gpt-6-luna` or `gpt-6*`; all by default.",
    )
    requests_per_minute: int | None = Field(
        default=None, ge=1, description="The largest number of requests per minute."
    )
    tokens_per_minute: int | None = Field(
        default=None, ge=1, description="The largest number of tokens per minute, input and output."
    )
    budget: Budget | None = Field(default=None, description="What it may spend in a period.")
    unbounded_cost: bool = Field(
        default=False,
        description="Whether calls are allowed, despite a budget, whose cost the request does not determine: batches,"
        " evals, fine-tuning, videos, realtime sessions, hosted tools, stored prompts.",
    )
    metrics: bool = Field(default=False, description="Whether it may read /metrics and /usage.")
    disabled: bool = Field(default=False, description="Whether it is ignored: kept in the file, and refused.")

    @property
    def hash(self) -> str:
        """The hash with its references replaced as they are now."""
        found = str(self.resolve(self.raw_hash, "hash", for_client=True))
        if not is_hash(found):
            raise ConfigurationError(
                "a gateway token's hash is no hash; sha256: and 64 hexadecimal digits are needed;"
                " `openai-connector gateway-token NAME` makes a token and its hash"
            )
        return found.lower()


class Gateway(Section):
    """The gateway, which forwards calls with the clients' credentials."""

    listen: Annotated[str, AfterValidator(check_listen)] = Field(
        default="127.0.0.1:8788", description="Address and port; an address other than loopback needs tls and tokens."
    )
    tls: Tls | None = Field(default=None, description="The certificate for HTTPS.")
    hosts: Names = Field(
        default=(), description="Host names that callers may use, in addition to the address that it listens on."
    )
    headers: Names = Field(
        default=(),
        description="Headers of callers to forward in addition to those of the API and of tracing, such as `X-App` or"
        " `Helicone-*`.",
    )
    origins: Origins = Field(
        default=(),
        description="The pages in browsers that may call, by their exact origins, such as `https://app.example.com`."
        " They call with short-lived tokens, which `POST /page-tokens` gives to your server.",
    )
    raw_signing_key: str = Field(
        default="",
        validation_alias=AliasChoices("signing_key", "signingKey"),
        description="What the tokens of pages are signed with: a secret of 32 characters or more, the same for every"
        " process of the gateway.",
        repr=False,
    )
    body_bytes: int = Field(default=1024**3, ge=1, description="The largest body of a request, in bytes.")
    connections: int = Field(default=1000, ge=1, le=100_000, description="The largest number of connections at a time.")
    connections_per_address: int | None = Field(
        default=None,
        ge=1,
        le=100_000,
        description="The largest number of connections of one address, or one IPv6 /64 network, at a time; by default"
        " half of connections. Raise it behind a load balancer.",
    )
    grace: Duration = Field(default=30.0, description="How long calls in progress may continue when it stops.")
    log_bodies: bool = Field(default=False, description="Whether bodies are logged, with secrets masked.")
    keep_usage: Duration = Field(
        default=90.0 * 86_400,
        description="How long it is kept which token used what in which minute, in files beside the configuration, for"
        " `bill reconcile`; 0s for not at all.",
    )
    tokens: Annotated[dict[str, GatewayToken], BeforeValidator(none_as_empty)] = Field(
        default_factory=dict[str, GatewayToken], description="The tokens that may call, by name."
    )

    @property
    def signing_key(self) -> str:
        """The key of pages' tokens with its references replaced as they are now."""
        found = str(self.resolve(self.raw_signing_key, "signing_key", for_client=True))
        if len(found) < SHORTEST_KEY:
            seen = f"found {len(found)} characters" if found else "found nothing"
            raise ConfigurationError(
                f"gateway.signing_key: {seen}; the tokens of pages (gateway.origins) are signed with it, so random text"
                f" of {SHORTEST_KEY} characters or more is needed, such as `openssl rand -base64 32` prints"
            )
        return found

    @property
    def host(self) -> str:
        """The address to listen on."""
        return self.listen.rpartition(":")[0].strip("[]")

    @property
    def port(self) -> int:
        """The port to listen on; 0 for any free one."""
        return int(self.listen.rpartition(":")[2])

    @property
    def most_of_one_address(self) -> int:
        """The largest number of connections of one address at a time."""
        return self.connections_per_address or max(1, self.connections // 2)

    @property
    def loopback(self) -> bool:
        """Whether only this machine can reach the gateway."""
        return is_loopback(self.host)

    @property
    def active_tokens(self) -> Mapping[str, GatewayToken]:
        """The tokens that are not disabled."""
        return {name: token for name, token in self.tokens.items() if not token.disabled}


ADMINISTERS = re.compile(r"(?:/v\d+)?/(?:organization|projects)(?:/.*)?", re.IGNORECASE)
HANDS_OUT = re.compile(
    r".*(?:secret|token|key|credential|service_account)s?/?|.*/(?:realtime|chatkit)/(?:\w+_)?sessions/?", re.IGNORECASE
)
"""Paths unknown to the catalogue whose names say that they hand out credentials."""
READING = ("GET", "HEAD", "OPTIONS")
WIRE = re.compile(r"([A-Z]+|\*)\s+(/\S*)")


def is_administration(path: str, operation: Operation | None) -> bool:
    """Return whether a call administers an organization, which a rule must name to allow."""
    if operation is not None:
        return operation.key == "admin"
    return ADMINISTERS.fullmatch(path) is not None


def hands_out_credentials(method: str, path: str, operation: Operation | None) -> bool:
    """Return whether an answer holds a key or secret that evades all limits, which a rule must name to allow."""
    if operation is not None:
        return operation.hands_out is not None
    return method not in READING and HANDS_OUT.fullmatch(path) is not None


@dataclass(frozen=True, slots=True)
class OperationRule:
    """Operations of the catalogue: `chat completions create`, `models *`, `* list`."""

    text: str
    operations: frozenset[str]
    """The names of the allowed operations."""

    def allows(self, method: str, path: str, operation: Operation | None) -> bool:  # noqa: ARG002  see Rule
        return operation is not None and operation.name in self.operations


@dataclass(frozen=True, slots=True)
class PathRule:
    """Paths: `POST /custom/*`; a star stands for anything, slashes included."""

    text: str
    method: str
    pattern: re.Pattern[str]
    names_administration: bool
    names_its_end: bool
    """Whether the rule names the method and the last segment of the path."""

    def allows(self, method: str, path: str, operation: Operation | None) -> bool:
        if self.method not in ("*", method) or not self.pattern.fullmatch(path):
            return False
        if not self.names_its_end and hands_out_credentials(method, path, operation):
            return False
        return self.names_administration or not is_administration(path, operation)


Rule = OperationRule | PathRule


def parse_rule(text: str, catalogue: Catalogue) -> Rule:
    """Parse an allow rule; raise ConfigurationError if it allows nothing."""
    wire = WIRE.fullmatch(text.strip())
    if wire:
        named = ADMINISTERS.fullmatch(wire[2]) is not None
        its_end = wire[1] != "*" and "*" not in wire[2].rstrip("/").rpartition("/")[2]
        return PathRule(text, wire[1], re.compile(translate(_plain(wire[2]))), named, its_end)
    names = _match_operations(text, catalogue) if "*" in text else frozenset({_find_operation(text, catalogue)})
    if not names:
        raise ConfigurationError(f"allow: {text!r} matches no operation; `openai-connector entities list` shows all")
    return OperationRule(text, names)


def _plain(pattern: str) -> str:
    """Return a pattern in which only the star is special."""
    return pattern.replace("[", "[[]").replace("?", "[?]")


def _find_operation(text: str, catalogue: Catalogue) -> str:
    try:
        return catalogue.find(text).name
    except UnknownName as error:
        raise ConfigurationError(f"allow: {error}; or write a path such as `POST /custom/*`") from None


def _match_operations(text: str, catalogue: Catalogue) -> frozenset[str]:
    """Return the operations that a pattern matches, except those that must be named.

    A star for the entity does not match administration, and no star matches what hands out credentials.
    """
    entity, action = _parts(text)
    fits_entity, fits_action = _pattern(entity), _pattern(action)
    return frozenset(
        operation.name
        for operation in catalogue.operations()
        if operation.hands_out is None
        and (not entity.startswith("*") or operation.key != "admin")
        and any(
            fits_entity.fullmatch(normalize_name(e)) and fits_action.fullmatch(normalize_name(a))
            for e, a in _names(operation)
        )
    )


def _parts(text: str) -> tuple[str, str]:
    words: Sequence[str] = re.split(r"[\s.]+", text.strip())
    return (" ".join(words[:-1]), words[-1]) if len(words) > 1 else (words[0], "*")


def _pattern(words: str) -> re.Pattern[str]:
    return re.compile(".*".join(re.escape(normalize_name(part)) for part in words.split("*")))


def _names(operation: Operation) -> list[tuple[str, str]]:
    """Return the operation's names: its own, and the verb that also finds it."""
    names = [(operation.entity, operation.action)]
    return [*names, (operation.on, operation.verb)] if operation.on and operation.verb else names
