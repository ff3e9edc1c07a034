"""Formats in which documents simply follow each other: JSONL, text, bytes."""

from __future__ import annotations

import base64
import binascii

from connector.documents import dump
from connector.errors import InvalidDocument
from connector.model import JSON, is_object
from connector.request.display import kind

__all__ = ["Binary", "Lines", "Text", "content_of"]


SURROGATE = "a text with a lone surrogate; only text that UTF-8 can hold is allowed"


class Lines:
    """One JSON value a line."""

    def add(self, document: JSON) -> bytes:
        return dump(document) + b"\n"

    def end(self) -> bytes:
        return b""


class Text:
    """A text a line, or in a file of its own as it is."""

    def __init__(self, *, alone: bool) -> None:
        self._end = "" if alone else "\n"

    def add(self, document: JSON) -> bytes:
        if not isinstance(document, str):
            raise InvalidDocument(f"found {kind(document)}; a text is needed, so end the chain with one or set content")
        try:
            return (document + self._end).encode()
        except UnicodeEncodeError:
            raise InvalidDocument(SURROGATE) from None

    def end(self) -> bytes:
        return b""


class Binary:
    """Bytes: `{"$content": base64}`, or a text as UTF-8."""

    def add(self, document: JSON) -> bytes:
        return content_of(document)

    def end(self) -> bytes:
        return b""


def content_of(document: JSON) -> bytes:
    """The bytes that a document stands for."""
    if isinstance(document, bytes):
        return document
    if isinstance(document, str):
        try:
            return document.encode()
        except UnicodeEncodeError:
            raise InvalidDocument(SURROGATE) from None
    found = document.get("$content") if is_object(document) else None
    if not isinstance(found, str):
        raise InvalidDocument(f"found {kind(document)}; a binary file takes a text or {{$content: base64}}")
    try:
        return base64.b64decode(found, validate=True)
    except binascii.Error:
        raise InvalidDocument("$content is not base64") from None
