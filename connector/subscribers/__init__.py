"""Where documents come from: the kinds of configured subscriber."""

from __future__ import annotations

from connector.formats import UnreadableDocument
from connector.registry import Registry
from connector.subscribers.prototype import Bookmark, Context, DocumentReader, Prototype

__all__ = ["Bookmark", "Context", "DocumentReader", "Prototype", "UnreadableDocument", "prototypes"]

GROUP = "openai_connector.subscribers"


def prototypes() -> Registry[Prototype]:
    """Return the kinds that ship with the connector and those that other distributions declare."""
    from connector.subscribers.file import FILE
    from connector.subscribers.folder import FOLDER
    from connector.subscribers.http import HTTP
    from connector.subscribers.http_receiver import HTTP_RECEIVER
    from connector.subscribers.openai import OPENAI
    from connector.subscribers.route import ROUTE
    from connector.subscribers.sql import SQL
    from connector.subscribers.webhook import WEBHOOK

    registry = Registry("subscriber prototype", (OPENAI, HTTP, FILE, FOLDER, SQL, ROUTE, WEBHOOK, HTTP_RECEIVER))
    registry.add_installed(GROUP, Prototype)
    return registry
