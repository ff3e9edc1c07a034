"""The headers by which a receiver knows that a webhook is genuine."""

from __future__ import annotations

import binascii
from base64 import b64decode, b64encode
from hashlib import sha256
from hmac import digest

from connector.errors import ConfigurationError

__all__ = ["key_of", "signed"]

PREFIX = "whsec_"


def key_of(secret: str) -> bytes:
    """The bytes that sign, out of a secret as it is shown to people."""
    try:
        key = b64decode(secret.removeprefix(PREFIX), validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if not key:
        raise ConfigurationError(f"the webhook secret is not {PREFIX} followed by base64; leave it out to be given one")
    return key


def signed(secret: str, webhook_id: str, timestamp: int, body: bytes) -> dict[str, str]:
    """The headers of one webhook: its id, its time, and the signature over both and the body."""
    text = f"{webhook_id}.{timestamp}.".encode() + body
    signature = b64encode(digest(key_of(secret), text, sha256)).decode()
    return {
        "webhook-id": webhook_id,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": f"v1,{signature}",
    }
