"""A workload's own identity in place of a key: its token is exchanged for a short-lived access token."""

from __future__ import annotations

from connector.http.identity.access_token import AccessTokens
from connector.http.identity.failure import IdentityFailed
from connector.http.identity.parameters import PLACEHOLDER, Identity

__all__ = ["PLACEHOLDER", "AccessTokens", "Identity", "IdentityFailed"]
