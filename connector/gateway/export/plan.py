"""What the gateway of a configuration does, as far as another proxy could do it: names, patterns and no secrets."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

__all__ = ["Caller", "Header", "Pattern", "Plan", "Source", "Upstream"]


@dataclass(frozen=True, slots=True)
class Source:
    """Where a secret is, by name."""

    name: str
    """Fit for a variable of a proxy's configuration."""
    shell: str
    """What a shell puts in its place, in quotes."""


Header = tuple[str | Source, ...]
"""The value of a header: texts, and secrets by their names."""


@dataclass(frozen=True, slots=True)
class Upstream:
    """A client's API."""

    name: str
    slug: str
    """The name, as far as it fits into names of the proxy's configuration."""
    scheme: str
    host: str
    port: int
    prefix: str
    """The path of its address, without a trailing slash."""
    headers: Mapping[str, Header]
    """What is sent with every call."""
    admin_headers: Mapping[str, Header]
    """What is sent with calls that administer the organization."""
    connect: float
    read: float
    total: float
    ca_bundle: str | None

    @property
    def authority(self) -> str:
        """The Host that it wants to hear."""
        usual = {"http": 80, "https": 443}[self.scheme]
        return self.host if self.port == usual else f"{self.host}:{self.port}"


@dataclass(frozen=True, slots=True)
class Pattern:
    """Calls of one method whose path below a client's address fits; understood alike by PCRE and RE2."""

    method: str
    """`*` for any."""
    path: str
    but: tuple[str, ...] = ()
    """Paths that fit and mean something else."""


@dataclass(frozen=True, slots=True)
class Caller:
    """Somebody whom a token belongs to, and what may be called with it."""

    name: str
    slug: str
    hash: str
    allowed: Mapping[str, tuple[Pattern, ...]]
    """By client."""
    per_minute: int | None


@dataclass(frozen=True, slots=True)
class Plan:
    """Everything that a writer needs."""

    host: str
    port: int
    names: tuple[str, ...]
    """The hosts by which it may be called."""
    certificate: str | None
    key: str | None
    body_bytes: int
    connections: int
    upstreams: tuple[Upstream, ...]
    callers: tuple[Caller, ...]
    lost: tuple[str, ...] = field(default=())
    """What this configuration says and no other proxy carries, in sentences."""

    @property
    def sources(self) -> tuple[Source, ...]:
        """Every secret that headers name, once."""
        found = {
            part.name: part
            for upstream in self.upstreams
            for headers in (upstream.headers, upstream.admin_headers)
            for value in headers.values()
            for part in value
            if isinstance(part, Source)
        }
        return tuple(found.values())
