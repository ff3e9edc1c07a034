"""Everything the connector raises on purpose.

ConnectorError
├── InvalidDocument       text or a value that is not one acceptable JSON document
├── UnknownName           an undeclared name, with suggestions
├── ConfigurationError    a client, prototype, folder or option that cannot work
├── InvalidRequest        a request that must not be sent, with every fault
└── CallFailed            a call whose outcome is not done, with that outcome

The last two are in `connector.model`, beside the types that they carry.
"""

from __future__ import annotations

from collections.abc import Sequence

from connector.suggestions import did_you_mean

__all__ = ["ConfigurationError", "ConnectorError", "InvalidDocument", "UnknownName"]


class ConnectorError(Exception):
    """The root of all errors that the connector raises on purpose."""


class InvalidDocument(ConnectorError):
    """Text or a value that is not one acceptable JSON document."""


class ConfigurationError(ConnectorError):
    """A client, prototype, folder or option that cannot work as it is declared."""


class UnknownName(ConnectorError):
    """An undeclared name, with suggestions."""

    def __init__(self, kind: str, name: str, suggestions: Sequence[str] = (), hint: str = "") -> None:
        self.kind = kind
        self.name = name
        self.suggestions = tuple(suggestions)
        meant = did_you_mean(self.suggestions)
        super().__init__("; ".join(part for part in (f"unknown {kind} {name!r}", meant, hint) if part))
