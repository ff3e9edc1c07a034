"""Signatures of requests: where they stand, what they are made of, and whether one is genuine and recent."""

from __future__ import annotations

import re
from base64 import b64decode
from binascii import Error, unhexlify
from collections.abc import Iterator, Mapping, Sequence
from hmac import compare_digest, digest
from typing import Literal, Self

from pydantic import Field, model_validator

from connector.http.parameters import Section

__all__ = ["PRESETS", "PresetName", "Signature", "read_keys"]

PresetName = Literal["github", "shopify", "slack", "standard-webhooks", "stripe"]
HEADER = r"^[A-Za-z0-9-]+$"
PLACEHOLDER = re.compile(r"\{(body|timestamp|id)\}")
MOST = 16
"""Signatures of one request that are looked at."""
SECONDS = re.compile(r"\d{1,12}", re.ASCII)


class Signature(Section):
    """How requests are signed."""

    header: str = Field(pattern=HEADER, description="The header with the signature.")
    algorithm: Literal["sha256", "sha384", "sha512", "sha1"] = Field(default="sha256", description="The hash of HMAC.")
    encoding: Literal["hex", "base64"] = Field(default="hex", description="How the signature is written.")
    prefix: str = Field(default="", description="What stands before a signature, such as `sha256=`.")
    field: str = Field(
        default="", description="The name of the signature where the header is a list such as `t=1,v1=…`: here `v1`."
    )
    signed: str = Field(
        default="{body}", description="What is signed, with `{timestamp}`, `{id}` and `{body}` in their places."
    )
    timestamp_header: str = Field(default="", description="The header with the seconds since 1970.")
    timestamp_field: str = Field(default="", description="Their name in a header that is a list: `t`, for example.")
    id_header: str = Field(default="", description="The header with the id that is signed.")
    key: Literal["text", "base64"] = Field(
        default="text", description="Whether the secret is the key, or base64 of it, perhaps after `whsec_`."
    )

    @model_validator(mode="after")
    def _covers_what_it_uses(self) -> Self:
        has_time = bool(self.timestamp_header or self.timestamp_field)
        if "{body}" not in self.signed:
            raise ValueError("`signed` has no {body}, so anybody could change it")
        if has_time != ("{timestamp}" in self.signed):
            raise ValueError(
                "a time counts only where it is signed: give its header or field, and {timestamp} in `signed`"
            )
        if bool(self.id_header) != ("{id}" in self.signed):
            raise ValueError("an id counts only where it is signed: give `id_header`, and {id} in `signed`")
        return self

    @property
    def has_time(self) -> bool:
        """Whether requests say when they were signed."""
        return "{timestamp}" in self.signed

    def check(
        self, headers: Mapping[str, str], body: bytes, keys: Sequence[bytes], now: float, tolerance: float
    ) -> bytes | None:
        """Return the genuine signature; None when no key made one, or not at about this time.

        Args:
            headers: their names are in lower case.
            body: as it was sent.
            keys: any of them may have signed.
            now: seconds since 1970.
            tolerance: seconds that the time of the request may be off.
        """
        values = dict(self._values(headers))
        if values.keys() != set(PLACEHOLDER.findall(self.signed)) - {"body"}:
            return None
        if self.has_time and abs(now - int(values["timestamp"])) > tolerance:
            return None
        text = self._signed_text(values, body)
        given = list(self._signatures(headers.get(self.header.lower(), "")))[:MOST]
        made = [digest(key, text, self.algorithm) for key in keys]
        return next((own for own in made for one in given if compare_digest(own, one)), None)

    def _values(self, headers: Mapping[str, str]) -> Iterator[tuple[str, str]]:
        """Yield what is signed beside the body, as far as it is there."""
        found = headers.get(self.timestamp_header.lower(), "") if self.timestamp_header else ""
        if self.timestamp_field:
            found = next(_fields(headers.get(self.header.lower(), ""), self.timestamp_field), "")
        if SECONDS.fullmatch(found):
            yield "timestamp", found
        identity = headers.get(self.id_header.lower(), "") if self.id_header else ""
        if identity and identity.isascii():
            yield "id", identity

    def _signed_text(self, values: Mapping[str, str], body: bytes) -> bytes:
        parts = PLACEHOLDER.split(self.signed)
        texts = [part.encode() if number % 2 == 0 else b"" for number, part in enumerate(parts)]
        for number in range(1, len(parts), 2):
            texts[number] = body if parts[number] == "body" else values[parts[number]].encode()
        return b"".join(texts)

    def _signatures(self, header: str) -> Iterator[bytes]:
        written = _fields(header, self.field) if self.field else iter(header.split())
        for each in written:
            if each.startswith(self.prefix):
                try:
                    text = each.removeprefix(self.prefix)
                    yield unhexlify(text) if self.encoding == "hex" else b64decode(text, validate=True)
                except (Error, ValueError):
                    continue


def _fields(header: str, name: str) -> Iterator[str]:
    """Yield the values of a name in a list such as `t=1,v1=…`."""
    for part in header.split(","):
        key, _, value = part.strip().partition("=")
        if key == name:
            yield value


PRESETS: Mapping[PresetName, Signature] = {
    "github": Signature(header="X-Hub-Signature-256", prefix="sha256="),
    "shopify": Signature(header="X-Shopify-Hmac-Sha256", encoding="base64"),
    "slack": Signature(
        header="X-Slack-Signature",
        prefix="v0=",
        signed="v0:{timestamp}:{body}",
        timestamp_header="X-Slack-Request-Timestamp",
    ),
    "standard-webhooks": Signature(
        header="Webhook-Signature",
        encoding="base64",
        prefix="v1,",
        signed="{id}.{timestamp}.{body}",
        timestamp_header="Webhook-Timestamp",
        id_header="Webhook-Id",
        key="base64",
    ),
    "stripe": Signature(
        header="Stripe-Signature", field="v1", timestamp_field="t", signed="{timestamp}.{body}"
    ),
}  # fmt: skip
"""How well-known senders sign."""


def read_keys(secrets: str, kind: Literal["text", "base64"]) -> list[bytes]:
    """Return the keys of secrets with spaces between them; none at all when one of them is no secret."""
    if kind == "text":
        return [one.encode() for one in secrets.split()]
    try:
        keys = [b64decode(one.removeprefix("whsec_"), validate=True) for one in secrets.split()]
    except (Error, ValueError):
        return []
    return keys if all(keys) else []
