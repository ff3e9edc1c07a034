"""Clients: from a prepared request to an outcome, over the network.

What uses the network loads when it is used: a configuration is checked without it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from connector.http.prototypes import Prototype, prototypes

if TYPE_CHECKING:
    from connector.http.client import Client
    from connector.http.configuration import describe
    from connector.http.direct_forward import BegunCall, DirectForward
    from connector.http.forward import BegunForward, Forward, ForwardResponse
    from connector.http.forward_request import ForwardRequest

__all__ = [
    "BegunCall", "BegunForward", "Client", "DirectForward", "Forward", "ForwardRequest", "ForwardResponse", "Prototype",
    "describe", "prototypes",
]  # fmt: skip

_HOMES = {
    "BegunCall": "connector.http.direct_forward",
    "BegunForward": "connector.http.forward",
    "Client": "connector.http.client",
    "DirectForward": "connector.http.direct_forward",
    "Forward": "connector.http.forward",
    "ForwardRequest": "connector.http.forward_request",
    "ForwardResponse": "connector.http.forward",
    "describe": "connector.http.configuration",
}


def __getattr__(name: str) -> object:
    from importlib import import_module

    if name in _HOMES:
        return getattr(import_module(_HOMES[name]), name)
    raise AttributeError(f"module 'connector.http' has no attribute {name!r}")
