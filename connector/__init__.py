"""An OpenAI connector: declare connections, call any operation, know what happened.

The names below load when they are used, so that importing the package costs nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from connector.catalogue import Catalogue
    from connector.errors import (
        CallFailed,
        ConfigurationError,
        ConnectorError,
        InvalidDocument,
        InvalidRequest,
        UnknownName,
    )
    from connector.http import Client
    from connector.model import Attempt, Effect, Fault, Outcome, Request, State
    from connector.publisher import Publisher
    from connector.subscriber import Subscriber

    __version__: str

__all__ = [
    "Attempt",
    "CallFailed",
    "Catalogue",
    "Client",
    "ConfigurationError",
    "ConnectorError",
    "Effect",
    "Fault",
    "InvalidDocument",
    "InvalidRequest",
    "Outcome",
    "Publisher",
    "Request",
    "State",
    "Subscriber",
    "UnknownName",
    "__version__",
]


_HOMES = {
    "connector.catalogue": ("Catalogue",),
    "connector.errors": (
        "CallFailed",
        "ConfigurationError",
        "ConnectorError",
        "InvalidDocument",
        "InvalidRequest",
        "UnknownName",
    ),
    "connector.http": ("Client",),
    "connector.model": ("Attempt", "Effect", "Fault", "Outcome", "Request", "State"),
    "connector.publisher": ("Publisher",),
    "connector.subscriber": ("Subscriber",),
}


def __getattr__(name: str) -> object:
    from importlib import import_module

    for home, names in _HOMES.items():
        if name in names:
            return getattr(import_module(home), name)
    if name == "__version__":
        from connector.version import version

        return version()
    raise AttributeError(f"module 'connector' has no attribute {name!r}")
