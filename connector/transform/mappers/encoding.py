"""`hash`, `base64-*`, `serialize-json`, `deserialize-json`: digests, Base64, and JSON as text."""

from __future__ import annotations

import base64
import binascii
import hashlib

import orjson

from connector.documents import dump, parse
from connector.errors import InvalidDocument
from connector.model import JSON
from connector.transform.context import Scope
from connector.transform.declaration import Field, Mapper
from connector.transform.errors import Unfit
from connector.transform.fields import choice
from connector.transform.mappers.base import skip_null, text_mapper
from connector.transform.placeholders import to_text
from connector.transform.types import Map

__all__ = ["ENCODING", "JSON_TEXT"]

ALGORITHMS = ("md5", "sha1", "sha256", "sha384", "sha512", "sha3_256", "blake2b")


def _build_hash(algorithm: str) -> Map:
    def run(value: JSON, _: Scope) -> JSON:
        return hashlib.new(algorithm, to_text(value).encode(), usedforsecurity=False).hexdigest()

    return skip_null(run)


def _build_encode() -> Map:
    return text_mapper("base64-encode", lambda text, _found, _scope: base64.b64encode(text.encode()).decode())


def _build_decode() -> Map:
    def work(text: str, _found: JSON, _scope: Scope) -> JSON:
        padded = text.strip() + "=" * (-len(text.strip()) % 4)
        try:
            return base64.b64decode(padded.replace("-", "+").replace("_", "/"), validate=True).decode()
        except (binascii.Error, ValueError):
            raise Unfit("base64-decode: found a text that is not Base64 of UTF-8 text") from None

    return text_mapper("base64-decode", work)


def _algorithm() -> Field:
    made = choice("Which digest.", ALGORITHMS, default="sha256")
    return Field(made.kind, made.summary, made.read, made.schema, default=made.default, aliases=("algo",))


ENCODING = (
    Mapper(
        "hash",
        "The digest of a text, in hexadecimal.",
        {"algorithm": _algorithm()},
        _build_hash,
        ("string-hash",),
        "algorithm",
    ),
    Mapper("base64-encode", "The text as Base64.", {}, _build_encode),
    Mapper("base64-decode", "The text of a Base64 value.", {}, _build_decode),
)


def _build_serialize(style: str) -> Map:
    def run(value: JSON, _: Scope) -> JSON:
        try:
            text = dump(value, "value")
        except InvalidDocument as error:
            raise Unfit(f"serialize-json: {error}") from None
        return (orjson.dumps(value, option=orjson.OPT_INDENT_2) if style == "indented" else text).decode()

    return run


def _build_deserialize() -> Map:
    def work(text: str, _found: JSON, _scope: Scope) -> JSON:
        try:
            return parse(text, "text")
        except InvalidDocument as error:
            raise Unfit(f"deserialize-json: {error}") from None

    return text_mapper("deserialize-json", work)


JSON_TEXT = (
    Mapper(
        "serialize-json",
        "The value as JSON text.",
        {"style": choice("On one line, or indented.", ("compact", "indented"), default="compact")},
        _build_serialize,
        sole="style",
    ),
    Mapper("deserialize-json", "The value that a JSON text holds.", {}, _build_deserialize),
)
