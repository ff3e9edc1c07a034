"""JSON: a list of documents, read and written item by item, or a file with a single document."""

from __future__ import annotations

import codecs
import json
from typing import BinaryIO

from connector.documents import dump, parse
from connector.errors import InvalidDocument
from connector.formats.blocks import Blocks, IncompleteEnd, ResumePoint, UnreadableDocument
from connector.model import JSON

__all__ = ["JsonWriter", "read_json"]

CHUNK = 256 * 1024
SHOWN = 100_000
TOO_LONG = "longer than {} bytes, the most that max_document_bytes allows"
BLANKS = " \t\r\n"
LONGEST_WORD = len("false")
"""The most characters of a literal that may be cut off in the middle."""
NEXT = json.JSONDecoder().raw_decode


def read_json(file: BinaryIO, name: str, most: int) -> Blocks:
    """Yield the items of the list; a broken item ends the reading, since the next one cannot be found."""
    text = _TextWindow(file)
    if text.peek() != "[":
        yield [_whole(text, name, most)]
        return
    text.take(1)
    number, block = 0, list[JSON | UnreadableDocument | ResumePoint | IncompleteEnd]()
    if text.peek() == "]":
        return
    while True:
        number += 1
        where = f"{name}, item {number}"
        found = ""
        try:
            found = text.value(where, most)
            block.append(parse(found, where=where))
        except _Broken as broken:
            item = _unreadable(str(broken), broken.reason)
            block.append(IncompleteEnd(where, "the list is not closed", [item]) if broken.cut else item)
            break
        except InvalidDocument as error:
            block.append(_unreadable(found, str(error)))
        if text.fresh:
            yield block
            block = []
        mark = text.peek()
        if mark != ",":
            if mark != "]":
                reason = f"{name}: no ',' or ']' after item {number}; nothing after it was read"
                item = UnreadableDocument({"$text": text.left[:100]}, reason)
                block.append(item if mark else IncompleteEnd(where, "the list is not closed", [item]))
            break
        text.take(1)
        text.peek()
    yield block


def _whole(text: _TextWindow, name: str, most: int) -> JSON | UnreadableDocument | IncompleteEnd:
    try:
        return parse(text.rest(most), where=name)
    except InvalidDocument as error:
        item = _unreadable(text.left, str(error))
    try:
        NEXT(text.left)
    except ValueError as error:
        return item if _is_wrong(error, text.left) else IncompleteEnd(name, "the value is not closed", [item])
    except RecursionError:
        return item
    return item


def _unreadable(text: str, reason: str) -> UnreadableDocument:
    return UnreadableDocument({"$text": text[:SHOWN].encode(errors="replace").decode().replace("\0", "\ufffd")}, reason)


class _Broken(Exception):
    """An item after which nothing more can be read."""

    def __init__(self, text: str, reason: str, *, cut: bool = False) -> None:
        self.reason = reason
        self.cut = cut
        super().__init__(text)


def _is_wrong(error: ValueError, text: str) -> bool:
    """Return whether a value is wrong before its end, and not only cut off."""
    place = getattr(error, "pos", 0)
    return not str(error).startswith("Unterminated") and place < len(text.rstrip(BLANKS)) - LONGEST_WORD


class _TextWindow:
    """The part of a text file that is in memory."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._decode = codecs.getincrementaldecoder("utf-8-sig")("surrogateescape").decode
        self.left = ""
        self._at_end = False
        self.fresh = False
        """Whether the file was read for the last value."""

    def _more(self, size: int = CHUNK) -> bool:
        if self._at_end:
            return False
        chunk = self._file.read(size)
        self._at_end = not chunk
        self.left += self._decode(chunk, self._at_end)
        self.fresh = True
        return not self._at_end

    def peek(self) -> str:
        """Return the next character that is not blank; empty at the end."""
        self.left = self.left.lstrip(BLANKS)
        while not self.left and self._more():
            self.left = self.left.lstrip(BLANKS)
        return self.left[:1]

    def take(self, count: int) -> str:
        taken, self.left = self.left[:count], self.left[count:]
        return taken

    def rest(self, most: int) -> str:
        while len(self.left) <= most and self._more(max(CHUNK, len(self.left))):
            pass
        if len(self.left) > most:
            raise InvalidDocument(TOO_LONG.format(most))
        return self.left

    def value(self, where: str, most: int) -> str:
        """Return the text of the next value; read no more of the file than it takes to find its end."""
        self.fresh = False
        while True:
            try:
                _, end = NEXT(self.left)
                # A number may go on behind what was read.
                if end < len(self.left) or not self._more():
                    return self.take(end)
            except (ValueError, RecursionError) as error:
                if len(self.left) > most:
                    raise _Broken(self.left, f"{where}: {TOO_LONG.format(most)}; nothing after it was read") from None
                if not self._more(max(CHUNK, len(self.left))):
                    reason = f"{where}: {str(error).lower()}; nothing after it was read"
                    cut = isinstance(error, ValueError) and not _is_wrong(error, self.left)
                    raise _Broken(self.left, reason, cut=cut) from None


class JsonWriter:
    """Writes a list, or a single document."""

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
