"""Documents that are sent to a path, signed or with a token: whoever listens receives them, so nothing is read."""

from __future__ import annotations

from hashlib import sha256
from hmac import compare_digest
from typing import Annotated, Literal, Self

from pydantic import BeforeValidator, Field, SecretStr, model_validator

from connector.http.parameters import Section
from connector.model import JSON
from connector.subscribers.prototype import Context, Prototype, ReceivingReader
from connector.subscribers.signatures import HEADER, PRESETS, PresetName, Signature, read_keys

__all__ = ["HTTP_RECEIVER", "Parameters"]

ContentKind = Literal["json", "ndjson", "form"]
NAMES_OF_IDS: dict[PresetName, str] = {"stripe": "id", "slack": "event_id"}
"""Where the documents of well-known senders have an id, which is signed with them."""


def _one_or_more(value: JSON) -> JSON:
    return [value] if isinstance(value, str) else value


class Parameters(Section):
    """The path, how senders prove themselves, and how requests become documents."""

    path: str = Field(pattern=r"^/hooks(/[A-Za-z0-9._-]+)+$", description="Where they are sent to, below /hooks/.")
    signature: PresetName | Signature | None = Field(
        default=None,
        description="How requests are signed: as a well-known sender does, or {header, algorithm, encoding, …}.",
    )
    secret: SecretStr | None = Field(
        default=None, description="What they are signed with; while it is rotated several, with spaces between them."
    )
    token: SecretStr | None = Field(
        default=None, description="In place of a signature: a token that is sent with each; several as for secret."
    )
    token_header: str = Field(
        default="Authorization",
        pattern=HEADER,
        description="The header with the token; Authorization has `Bearer` before it.",
    )
    tolerance: float = Field(default=300.0, gt=0, le=3600, description="Seconds that a signed time may be off ours.")
    content: Annotated[tuple[ContentKind, ...], BeforeValidator(_one_or_more)] = Field(
        default=("json", "ndjson", "form"), min_length=1, description="The kinds of content that are taken."
    )
    items: str | None = Field(
        default=None,
        description="The documents of a body, as JMESPath: `rows`, or `@` for a list; the body is one unless given.",
    )
    headers: Annotated[tuple[str, ...], BeforeValidator(_one_or_more)] = Field(
        default=(),
        description="Headers to keep, such as X-GitHub-Event; a document is {body, headers} then. They are not signed.",
    )
    id: str | None = Field(default=None, description="The id of a document, as JMESPath: sent again, it counts once.")
    id_header: str | None = Field(
        default=None, pattern=HEADER, description="The header with the id of a request; it is not signed, as a rule."
    )
    max_bytes: int = Field(default=1024**2, ge=1024, le=64 * 1024**2, description="The most bytes of a request.")
    max_documents: int = Field(default=1000, ge=1, le=10_000, description="The most documents of a request.")

    @model_validator(mode="after")
    def _knows_its_senders(self) -> Self:
        if self.token is not None:
            if self.signature is not None or self.secret is not None:
                raise ValueError("token stands in place of signature and secret: leave one or the others out")
            if not self.token.get_secret_value().split():
                raise ValueError("token is empty")
            return self
        if self.signature is None or self.secret is None:
            raise ValueError(
                "anybody could send: give signature and secret, or token;"
                f" signature is one of {', '.join(PRESETS)}, or {{header, algorithm, encoding, …}}"
            )
        if not self.keys():
            raise ValueError("secret is none: text, or base64 where the signature says so, is allowed")
        return self

    @property
    def signed_as(self) -> Signature | None:
        """How requests are signed."""
        return PRESETS[self.signature] if isinstance(self.signature, str) else self.signature

    @property
    def id_expression(self) -> str | None:
        """Where a document's id is, as far as it is known."""
        if self.id is not None or self.id_header is not None or not isinstance(self.signature, str):
            return self.id
        return NAMES_OF_IDS.get(self.signature)

    def keys(self) -> list[bytes]:
        """Return the keys of the signatures."""
        signed = self.signed_as
        return read_keys(self.secret.get_secret_value(), signed.key) if signed and self.secret else []

    def has_token(self, value: str) -> bool:
        """Return whether a header's value is one of the tokens."""
        if self.token_header.lower() == "authorization":
            scheme, _, value = value.partition(" ")
            if scheme.lower() != "bearer":
                return False
        given = _digest(value.strip())
        tokens = self.token.get_secret_value().split() if self.token is not None else []
        return any(compare_digest(_digest(token), given) for token in tokens)


class HttpReader(ReceivingReader):
    """Reads nothing: each request is accepted when it arrives."""

    def __init__(self, parameters: Parameters) -> None:
        self._parameters = parameters

    async def explain(self, context: Context) -> JSON:  # noqa: ARG002  the protocol's signature
        """Return where the documents come from."""
        asked = self._parameters
        proof: JSON = (
            "token" if asked.token is not None else asked.signature if isinstance(asked.signature, str) else "hmac"
        )
        return {
            "path": asked.path,
            "proof": proof,
            "content": list(asked.content),
            "when": "serve --routes receives them; run delivers what was received",
        }


def _digest(text: str) -> bytes:
    return sha256(text.encode(errors="surrogateescape")).digest()


HTTP_RECEIVER = Prototype(
    "http-receiver", "Signed webhooks and documents of anybody, as they are sent to a path.", Parameters, HttpReader
)
