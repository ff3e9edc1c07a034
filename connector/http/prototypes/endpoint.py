"""Where a client's calls go, and what it shows to be let in."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from connector.model import JSON
from connector.request.wire import Wire

__all__ = ["Endpoint", "FixedEndpoint"]


class Endpoint(Protocol):
    """What a prototype makes of its parameters."""

    @property
    def base_uri(self) -> str:
        """The address below which every path lies, without a trailing slash."""
        ...

    def place(self, wire: Wire, payload: JSON) -> Wire:
        """The wire as this API wants its path and query."""
        ...

    def credentials(self, wire: Wire) -> Mapping[str, str]:
        """The headers that let a call in; a missing key raises ConfigurationError and names the variable to set."""
        ...


class FixedEndpoint:
    """An address where every path is as the catalogue says, with the same headers for each."""

    def __init__(self, base_uri: str, headers: Mapping[str, str] | None = None) -> None:
        self.base_uri = base_uri
        self._headers = headers or {}

    def place(self, wire: Wire, payload: JSON) -> Wire:  # noqa: ARG002  the protocol's signature
        return wire

    def credentials(self, wire: Wire) -> Mapping[str, str]:  # noqa: ARG002  the protocol's signature
        return self._headers
