"""JSON: a list of documents, or one document in a file of its own."""

from __future__ import annotations

from connector.documents import dump
from connector.model import JSON

__all__ = ["Json"]


class Json:
    """A list that grows, or a single value."""

    def __init__(self, *, alone: bool) -> None:
        self._alone = alone
        self._empty = True

    def add(self, document: JSON) -> bytes:
        data = dump(document)
        if self._alone:
            return data + b"\n"
        opening = b"[\n" if self._empty else b",\n"
        self._empty = False
        return opening + data

    def end(self) -> bytes:
        if self._alone:
            return b""
        return b"[]\n" if self._empty else b"\n]\n"
