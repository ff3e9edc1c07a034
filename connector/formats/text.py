"""Text and bytes, which are only written."""

from __future__ import annotations

import base64
import binascii

from connector.errors import InvalidDocument
from connector.model import JSON, is_object
from connector.request.display import describe_value

__all__ = ["BinaryWriter", "TextWriter"]


SURROGATE = "a text with a lone surrogate; only text that UTF-8 can hold is allowed"


class TextWriter:
    """Writes one text a line, or a single text as it is."""

    def __init__(self, *, alone: bool) -> None:
        self._end = "" if alone else "\n"

    def add(self, document: JSON) -> bytes:
        if not isinstance(document, str):
            raise InvalidDocument(
                f"found {describe_value(document)}; a text is needed, so end the chain with one or set content"
            )
        try:
            return (document + self._end).encode()
        except UnicodeEncodeError:
            raise InvalidDocument(SURROGATE) from None

    def end(self) -> bytes:
        return b""


class BinaryWriter:
    """Writes the bytes of `{"$content": base64}`, or a text as UTF-8."""

    def add(self, document: JSON) -> bytes:
        return _decode_content(document)

    def end(self) -> bytes:
        return b""


def _decode_content(document: JSON) -> bytes:
    """Return the bytes of a document."""
    if isinstance(document, bytes):
        return document
    if isinstance(document, str):
        try:
            return document.encode()
        except UnicodeEncodeError:
            raise InvalidDocument(SURROGATE) from None
    found = document.get("$content") if is_object(document) else None
    if not isinstance(found, str):
        raise InvalidDocument(f"found {describe_value(document)}; a binary file takes a text or {{$content: base64}}")
    try:
        return base64.b64decode(found, validate=True)
    except binascii.Error:
        raise InvalidDocument("$content is not base64") from None
