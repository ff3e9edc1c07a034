"""An OpenAI connector: declare connections, call any operation, know what happened.

The public API is what this module, `connector.blocking` and `connector.plugins` export. Every other module is private
and may change in any release. The names load when they are first used, so that importing the package costs nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from connector.catalogue import Catalogue, Operation
    from connector.errors import ConfigurationError, ConnectorError, InvalidDocument, UnknownName
    from connector.http import Client
    from connector.model import Attempt, CallFailed, Effect, Fault, InvalidRequest, JSONInput, Outcome, Request, State
    from connector.model import JSONValue as JSON  # noqa: N814  a type alias
    from connector.publisher import Publisher
    from connector.request import Explanation, Wire
    from connector.subscriber import Subscriber

    __version__: str

__all__ = [
    "JSON",
    "Attempt",
    "CallFailed",
    "Catalogue",
    "Client",
    "ConfigurationError",
    "ConnectorError",
    "Effect",
    "Explanation",
    "Fault",
    "InvalidDocument",
    "InvalidRequest",
    "JSONInput",
    "Operation",
    "Outcome",
    "Publisher",
    "Request",
    "State",
    "Subscriber",
    "UnknownName",
    "Wire",
    "__version__",
]

_HOMES = {
    "connector.catalogue": ("Catalogue", "Operation"),
    "connector.errors": ("ConfigurationError", "ConnectorError", "InvalidDocument", "UnknownName"),
    "connector.http": ("Client",),
    "connector.model": (
        "Attempt",
        "CallFailed",
        "Effect",
        "Fault",
        "InvalidRequest",
        "JSONInput",
        "Outcome",
        "Request",
        "State",
    ),
    "connector.publisher": ("Publisher",),
    "connector.request": ("Explanation", "Wire"),
    "connector.subscriber": ("Subscriber",),
}


def __getattr__(name: str) -> object:
    from importlib import import_module

    for home, names in _HOMES.items():
        if name in names:
            return getattr(import_module(home), name)
    if name == "JSON":
        from connector.model import JSONValue

        return JSONValue
    if name == "__version__":
        from connector.version import version

        return version()
    raise AttributeError(f"module 'connector' has no attribute {name!r}")
