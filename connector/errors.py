"""Everything the connector raises.

ConnectorError
├── InvalidRequest        a request that must not be sent; carries every fault
├── InvalidDocument       text that is not one acceptable JSON document
├── UnknownName           a name nobody declared; carries suggestions
├── ConfigurationError    a client, prototype, folder or option that cannot work
└── CallFailed            an attempt that did not end in done; carries its outcome
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from connector.suggestions import did_you_mean

if TYPE_CHECKING:
    from connector.model import Fault, Outcome

__all__ = ["CallFailed", "ConfigurationError", "ConnectorError", "InvalidDocument", "InvalidRequest", "UnknownName"]


class ConnectorError(Exception):
    """The root of all errors that the connector raises on purpose."""


class InvalidDocument(ConnectorError):
    """Text or a value that is not one acceptable JSON document."""


class ConfigurationError(ConnectorError):
    """A client, prototype, folder or option that cannot work as it is declared."""


class UnknownName(ConnectorError):
    """A name that nobody declared."""

    def __init__(self, kind: str, name: str, suggestions: Sequence[str] = (), hint: str = "") -> None:
        self.kind = kind
        self.name = name
        self.suggestions = tuple(suggestions)
        meant = did_you_mean(self.suggestions)
        super().__init__("; ".join(part for part in (f"unknown {kind} {name!r}", meant, hint) if part))


class InvalidRequest(ConnectorError):
    """A request that was not sent, with every fault that was found in it."""

    def __init__(self, operation: str, faults: Sequence[Fault]) -> None:
        self.operation = operation
        self.faults = tuple(faults)
        count = "1 fault" if len(self.faults) == 1 else f"{len(self.faults)} faults"
        super().__init__("\n".join([f"{operation}: nothing was sent, {count}:", *(f"  {f}" for f in self.faults)]))


class CallFailed(ConnectorError):
    """A call whose outcome is not done."""

    def __init__(self, outcome: Outcome) -> None:
        self.outcome = outcome
        super().__init__(outcome.sentence())
