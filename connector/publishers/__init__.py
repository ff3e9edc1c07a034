"""Where documents go: the kinds of configured publisher."""

from __future__ import annotations

from connector.publishers.intent import Begin, CallIntent, ClientCall, OnUnknown, Perform, client_intent, perform_now
from connector.publishers.prototype import Context, DocumentWriter, ImmediateWriter, Prototype
from connector.registry import Registry

__all__ = [
    "Begin",
    "CallIntent",
    "ClientCall",
    "Context",
    "DocumentWriter",
    "ImmediateWriter",
    "OnUnknown",
    "Perform",
    "Prototype",
    "client_intent",
    "perform_now",
    "prototypes",
]

GROUP = "openai_connector.publishers"


def prototypes() -> Registry[Prototype]:
    """Return the kinds that ship with the connector and those that other distributions declare."""
    from connector.publishers.file import FILE
    from connector.publishers.http import HTTP
    from connector.publishers.none import NONE
    from connector.publishers.openai import OPENAI
    from connector.publishers.sql import SQL

    registry = Registry("publisher prototype", (OPENAI, HTTP, FILE, SQL, NONE))
    registry.add_installed(GROUP, Prototype)
    return registry
