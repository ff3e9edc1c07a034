"""Where documents go: the kinds of configured publisher."""

from __future__ import annotations

from connector.publishers.context import Context
from connector.publishers.effort import Begin, Effort, OnUnknown, Perform, Sent, at_once, through
from connector.publishers.prototype import Prototype, Writes
from connector.registry import Registry

__all__ = [
    "Begin",
    "Context",
    "Effort",
    "OnUnknown",
    "Perform",
    "Prototype",
    "Sent",
    "Writes",
    "at_once",
    "prototypes",
    "through",
]

GROUP = "openai_connector.publishers"


def prototypes() -> Registry[Prototype]:
    """The kinds that ship with the connector, then those that other distributions declare."""
    from connector.publishers.file import FILE
    from connector.publishers.http import HTTP
    from connector.publishers.none import NONE
    from connector.publishers.openai import OPENAI
    from connector.publishers.sql import SQL

    registry = Registry("publisher prototype", (OPENAI, HTTP, FILE, SQL, NONE))
    registry.add_installed(GROUP, Prototype)
    return registry
