"""`hash` and `base64-*`: text as digests and as Base64."""

from __future__ import annotations

import base64
import binascii
import hashlib

from connector.model import JSON
from connector.transform.context import Scope
from connector.transform.declaration import Field, Map, Mapper
from connector.transform.fields import choice
from connector.transform.mappers.kinds import of_text, unless_null
from connector.transform.signals import Unfit
from connector.transform.text import to_text

__all__ = ["ENCODING"]

ALGORITHMS = ("md5", "sha1", "sha256", "sha384", "sha512", "sha3_256", "blake2b")


def _hash(algorithm: str) -> Map:
    def run(value: JSON, _: Scope) -> JSON:
        return hashlib.new(algorithm, to_text(value).encode(), usedforsecurity=False).hexdigest()

    return unless_null(run)


def _encode() -> Map:
    return of_text("base64-encode", lambda text, _found, _scope: base64.b64encode(text.encode()).decode())


def _decode() -> Map:
    def work(text: str, _found: JSON, _scope: Scope) -> JSON:
        padded = text.strip() + "=" * (-len(text.strip()) % 4)
        try:
            return base64.b64decode(padded.replace("-", "+").replace("_", "/"), validate=True).decode()
        except (binascii.Error, ValueError):
            raise Unfit("base64-decode: found a text that is not Base64 of UTF-8 text") from None

    return of_text("base64-decode", work)


def _algorithm() -> Field:
    made = choice("Which digest.", ALGORITHMS, default="sha256")
    return Field(made.kind, made.summary, made.read, made.schema, default=made.default, aliases=("algo",))


ENCODING = (
    Mapper(
        "hash",
        "The digest of a text, in hexadecimal.",
        {"algorithm": _algorithm()},
        _hash,
        ("string-hash",),
        "algorithm",
    ),
    Mapper("base64-encode", "The text as Base64.", {}, _encode),
    Mapper("base64-decode", "The text that Base64 stands for.", {}, _decode),
)
