"""An access token that could not be had."""

from __future__ import annotations

import httpx

__all__ = ["IdentityFailed"]


class IdentityFailed(httpx.ConnectError):
    """There is no access token, so that no byte of the call left.

    Attributes:
        is_final: whether another attempt would certainly end the same way, until a person has acted.
        wait: seconds that the other side asks for.
    """

    def __init__(self, reason: str, *, is_final: bool, wait: float | None = None) -> None:
        super().__init__(f"identity: {reason}")
        self.is_final = is_final
        self.wait = wait
