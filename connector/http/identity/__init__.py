"""A workload's own identity in place of a key: its token is exchanged for a short-lived access token.

What uses the network loads when it is used.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from connector.http.identity.parameters import PLACEHOLDER, ClientCredentials, Identity

if TYPE_CHECKING:
    from connector.http.identity.access_token import AccessTokens
    from connector.http.identity.failure import IdentityFailed

__all__ = ["PLACEHOLDER", "AccessTokens", "ClientCredentials", "Identity", "IdentityFailed"]

_HOMES = {"AccessTokens": "connector.http.identity.access_token", "IdentityFailed": "connector.http.identity.failure"}


def __getattr__(name: str) -> object:
    from importlib import import_module

    if name in _HOMES:
        return getattr(import_module(_HOMES[name]), name)
    raise AttributeError(f"module 'connector.http.identity' has no attribute {name!r}")
