"""Where documents come from: the kinds of configured subscriber."""

from __future__ import annotations

from connector.incoming.context import Bookmark, Context, Lost
from connector.incoming.prototype import Prototype, Reads
from connector.registry import Registry

__all__ = ["Bookmark", "Context", "Lost", "Prototype", "Reads", "prototypes"]

GROUP = "openai_connector.subscribers"


def prototypes() -> Registry[Prototype]:
    """The kinds that ship with the connector, then those that other distributions declare."""
    from connector.incoming.file import FILE
    from connector.incoming.folder import FOLDER
    from connector.incoming.http import HTTP
    from connector.incoming.openai import OPENAI
    from connector.incoming.route import ROUTE
    from connector.incoming.sql import SQL
    from connector.incoming.webhook import WEBHOOK

    registry = Registry("subscriber prototype", (OPENAI, HTTP, FILE, FOLDER, SQL, ROUTE, WEBHOOK))
    registry.add_installed(GROUP, Prototype)
    return registry
