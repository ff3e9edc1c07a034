"""OpenAI's webhooks: `openai-connector serve --routes` receives them, so nothing is read."""

from __future__ import annotations

from base64 import b64decode
from binascii import Error
from collections.abc import Mapping, Sequence
from hashlib import sha256
from hmac import compare_digest, digest

from pydantic import Field, SecretStr, field_validator

from connector.http.parameters import Section
from connector.model import JSON
from connector.subscribers.prototype import Context, Prototype, ReceivingReader

__all__ = ["WEBHOOK", "Parameters", "is_genuine"]

PREFIX, VERSION = "whsec_", "v1,"


class Parameters(Section):
    """The path, the signing secret, and which events are accepted."""

    path: str = Field(pattern=r"^/hooks(/[A-Za-z0-9._-]+)+$", description="Where they are sent to, below /hooks/.")
    secret: SecretStr = Field(
        description="What they are signed with, whsec_…; while it is rotated several, with spaces between them."
    )
    events: tuple[str, ...] = Field(
        default=(), description="The types that become documents, such as batch.completed; all unless given."
    )
    tolerance: float = Field(default=300.0, gt=0, le=3600, description="Seconds that its time may be off ours.")
    max_bytes: int = Field(default=256 * 1024, ge=1024, le=16 * 1024**2, description="The most that one may have.")
    fetch: bool = Field(
        default=False, description="Whether the object that an event names is read, and added to it as `entity`."
    )
    client: str | None = Field(default=None, description="The client to read it with, for `fetch`.")

    @field_validator("secret")
    @classmethod
    def _can_sign(cls, value: SecretStr) -> SecretStr:
        if not keys_of(value.get_secret_value()):
            raise ValueError(f"{PREFIX} and base64 is allowed, several with spaces between them")
        return value

    def keys(self) -> list[bytes]:
        """Return the signing keys."""
        return keys_of(self.secret.get_secret_value())


class WebhookReader(ReceivingReader):
    """Reads nothing: each event is accepted when it arrives."""

    def __init__(self, parameters: Parameters) -> None:
        self._parameters = parameters

    async def explain(self, context: Context) -> JSON:  # noqa: ARG002  the protocol's signature
        """Return where the documents come from."""
        asked = self._parameters
        return {"path": asked.path, "events": list(asked.events) or "all", "when": "serve --routes receives them"}


def keys_of(secrets: str) -> list[bytes]:
    """Return the key of each secret; none at all when one of them is no secret."""
    try:
        keys = [b64decode(one.removeprefix(PREFIX), validate=True) for one in secrets.replace(",", " ").split()]
    except (Error, ValueError):
        return []
    return keys if all(keys) else []


def is_genuine(headers: Mapping[str, str], body: bytes, keys: Sequence[bytes], now: float, tolerance: float) -> bool:
    """Return whether one of the keys signed this body, at about this time."""
    identity, time = headers.get("webhook-id", ""), headers.get("webhook-timestamp", "")
    if (
        not identity.isascii()
        or not identity
        or not time.isdecimal()
        or len(time) > 15
        or abs(now - int(time)) > tolerance
    ):
        return False
    text = f"{identity}.{time}.".encode() + body
    given = [one.removeprefix(VERSION) for one in headers.get("webhook-signature", "").split() if VERSION in one[:3]]
    signatures = [_decode(one) for one in given[:16]]
    return any(compare_digest(digest(key, text, sha256), one) for key in keys for one in signatures)


def _decode(text: str) -> bytes:
    try:
        return b64decode(text, validate=True)
    except (Error, ValueError):
        return b""


WEBHOOK = Prototype("webhook", "OpenAI's webhooks, as `serve --routes` receives them.", Parameters, WebhookReader)
