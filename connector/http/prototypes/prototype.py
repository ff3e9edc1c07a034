"""A prototype: a named kind of client with its parameters."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from connector.http.parameters import Common
from connector.model import JSONInput

if TYPE_CHECKING:
    from connector.request.wire import Wire

__all__ = ["Endpoint", "FixedEndpoint", "Prototype"]


class Endpoint(Protocol):
    """What a prototype makes of its parameters."""

    @property
    def base_uri(self) -> str:
        """The address below which every path lies, without a trailing slash."""
        ...

    def place(self, wire: Wire, payload: JSONInput) -> Wire:
        """Return the wire as this API wants its path and query."""
        ...

    def credentials(self, wire: Wire) -> Mapping[str, str]:
        """Return the headers that authorise a call; ConfigurationError names the variable to set for a missing key."""
        ...


class FixedEndpoint:
    """An address where every path is as the catalogue says, with the same headers for each."""

    is_fixed = True
    """Whether neither paths nor headers depend on what is in a call's body."""

    def __init__(self, base_uri: str, headers: Mapping[str, str] | None = None) -> None:
        self.base_uri = base_uri
        self.headers = headers or {}

    def place(self, wire: Wire, payload: JSONInput) -> Wire:  # noqa: ARG002  the protocol's signature
        return wire

    def credentials(self, wire: Wire) -> Mapping[str, str]:  # noqa: ARG002  the protocol's signature
        return self.headers


@dataclass(frozen=True, slots=True)
class Prototype:
    """A declaration (name, summary, parameters) and one behaviour: the endpoint those parameters describe."""

    name: str
    summary: str
    parameters: type[Common]
    endpoint: Callable[..., Endpoint]
    """Takes an instance of `parameters`."""
    lists_models: bool = True
    """Whether it speaks the catalogue's API, so that listing its models tells whether a client works."""
    knows_models: bool = False
    """Whether its models are those of the registry, with their life cycles and what they refuse."""
