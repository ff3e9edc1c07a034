"""What a gateway does, as far as another proxy can do it: names, patterns and no secrets."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

__all__ = ["CA_BUNDLE", "CORS_HEADERS", "Caller", "Header", "Pattern", "Plan", "Secret", "Upstream"]

CA_BUNDLE = "/etc/ssl/certs/ca-certificates.crt"
CORS_HEADERS = frozenset({
    "access-control-allow-origin", "access-control-allow-credentials", "access-control-allow-methods",
    "access-control-allow-headers", "access-control-allow-private-network", "access-control-max-age",
    "access-control-expose-headers",
})  # fmt: skip


@dataclass(frozen=True, slots=True)
class Secret:
    """A secret, by name and by where it is."""

    name: str
    """Valid as a variable of a proxy's configuration."""
    shell: str
    """The shell expression of its value, quoted."""


Header = tuple[str | Secret, ...]
"""The value of a header: texts and secrets."""


@dataclass(frozen=True, slots=True)
class Upstream:
    """The API of a client."""

    name: str
    slug: str
    """The name, reduced to what a proxy's configuration allows."""
    scheme: str
    host: str
    port: int
    prefix: str
    """The path of its address, without a trailing slash."""
    headers: Mapping[str, Header]
    """Sent with every call."""
    admin_headers: Mapping[str, Header]
    """Sent with calls that administer the organization."""
    connect: float
    read: float
    total: float
    ca_bundle: str | None

    @property
    def authority(self) -> str:
        """The Host to send."""
        default_port = {"http": 80, "https": 443}[self.scheme]
        return self.host if self.port == default_port else f"{self.host}:{self.port}"


@dataclass(frozen=True, slots=True)
class Pattern:
    """Calls of one method whose path below a client's address matches; PCRE and RE2 read it alike."""

    method: str
    """`*` for any."""
    path: str
    exclude: tuple[str, ...] = ()
    """Paths that match and mean something else."""


@dataclass(frozen=True, slots=True)
class Caller:
    """The owner of a token, and what it may call."""

    name: str
    slug: str
    hash: str
    allowed: Mapping[str, tuple[Pattern, ...]]
    """By client."""
    per_minute: int | None


@dataclass(frozen=True, slots=True)
class Plan:
    """All that a writer needs."""

    host: str
    port: int
    names: tuple[str, ...]
    """The Hosts that it serves."""
    certificate: str | None
    key: str | None
    body_bytes: int
    connections: int
    upstreams: tuple[Upstream, ...]
    callers: tuple[Caller, ...]
    unsupported: tuple[str, ...] = field(default=())
    """What this configuration asks for and other proxies cannot do, in sentences."""

    @property
    def secrets(self) -> tuple[Secret, ...]:
        """Every secret in headers, once."""
        found = {
            part.name: part
            for upstream in self.upstreams
            for headers in (upstream.headers, upstream.admin_headers)
            for value in headers.values()
            for part in value
            if isinstance(part, Secret)
        }
        return tuple(found.values())
