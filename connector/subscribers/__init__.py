"""Where documents come from: the kinds of configured subscriber."""

from __future__ import annotations

from connector.registry import Registry
from connector.subscribers.context import Bookmark, Context, Lost
from connector.subscribers.prototype import Prototype, Reads

__all__ = ["Bookmark", "Context", "Lost", "Prototype", "Reads", "prototypes"]

GROUP = "openai_connector.subscribers"


def prototypes() -> Registry[Prototype]:
    """The kinds that ship with the connector, then those that other distributions declare."""
    from connector.subscribers.file import FILE
    from connector.subscribers.folder import FOLDER
    from connector.subscribers.http import HTTP
    from connector.subscribers.openai import OPENAI
    from connector.subscribers.route import ROUTE
    from connector.subscribers.sql import SQL
    from connector.subscribers.webhook import WEBHOOK

    registry = Registry("subscriber prototype", (OPENAI, HTTP, FILE, FOLDER, SQL, ROUTE, WEBHOOK))
    registry.add_installed(GROUP, Prototype)
    return registry
