"""A JSON list, its items read one after the other; any other value is one document."""

from __future__ import annotations

import codecs
import json
from typing import BinaryIO

from connector.documents import parse
from connector.errors import InvalidDocument
from connector.model import JSON
from connector.subscribers.context import Lost
from connector.subscribers.formats import Blocks, Reached, Unfinished

__all__ = ["documents"]

CHUNK = 256 * 1024
SHOWN = 100_000
TOO_LONG = "longer than {} bytes, the most that max_document_bytes allows"
BLANKS = " \t\r\n"
LONGEST_WORD = len("false")
"""Characters of a value that may be cut in the middle and are named by its first."""
NEXT = json.JSONDecoder().raw_decode


def documents(file: BinaryIO, name: str, most: int) -> Blocks:
    """The items of the list; what is broken ends the file there, since nobody knows where the next item begins."""
    text = _Text(file)
    if text.peek() != "[":
        yield [_whole(text, name, most)]
        return
    text.take(1)
    number, block = 0, list[JSON | Lost | Reached | Unfinished]()
    if text.peek() == "]":
        return
    while True:
        number += 1
        where = f"{name}, item {number}"
        found = ""
        try:
            found = text.value(where, most)
            block.append(parse(found, where=where))
        except _Lost as lost:
            item = _lost(str(lost), lost.reason)
            block.append(Unfinished(where, "the list is not closed", [item]) if lost.cut else item)
            break
        except InvalidDocument as error:
            block.append(_lost(found, str(error)))
        if text.fresh:
            yield block
            block = []
        mark = text.peek()
        if mark != ",":
            if mark != "]":
                reason = f"{name}: no ',' or ']' after item {number}; nothing after it was read"
                item = Lost({"$text": text.left[:100]}, reason)
                block.append(item if mark else Unfinished(where, "the list is not closed", [item]))
            break
        text.take(1)
        text.peek()
    yield block


def _whole(text: _Text, name: str, most: int) -> JSON | Lost | Unfinished:
    try:
        return parse(text.rest(most), where=name)
    except InvalidDocument as error:
        item = _lost(text.left, str(error))
    try:
        NEXT(text.left)
    except ValueError as error:
        return item if _is_wrong(error, text.left) else Unfinished(name, "the value is not closed", [item])
    except RecursionError:
        return item
    return item


def _lost(text: str, reason: str) -> Lost:
    return Lost({"$text": text[:SHOWN].encode(errors="replace").decode().replace("\0", "\ufffd")}, reason)


class _Lost(Exception):
    """An item after which nothing can be read."""

    def __init__(self, text: str, reason: str, *, cut: bool = False) -> None:
        self.reason = reason
        self.cut = cut
        super().__init__(text)


def _is_wrong(error: ValueError, text: str) -> bool:
    """Whether a value is wrong before its end, and not only cut there."""
    place = getattr(error, "pos", 0)
    return not str(error).startswith("Unterminated") and place < len(text.rstrip(BLANKS)) - LONGEST_WORD


class _Text:
    """A file as text of which only a part is in memory."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._decode = codecs.getincrementaldecoder("utf-8-sig")("surrogateescape").decode
        self.left = ""
        self._at_end = False
        self.fresh = False
        """Whether something was read since this was last asked."""

    def _more(self, size: int = CHUNK) -> bool:
        if self._at_end:
            return False
        chunk = self._file.read(size)
        self._at_end = not chunk
        self.left += self._decode(chunk, self._at_end)
        self.fresh = True
        return not self._at_end

    def peek(self) -> str:
        """The next character that is not blank; empty at the end."""
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
        """The text of the next value, and no more of the file than it takes to find its end."""
        self.fresh = False
        while True:
            try:
                _, end = NEXT(self.left)
                # A number may go on behind what was read.
                if end < len(self.left) or not self._more():
                    return self.take(end)
            except (ValueError, RecursionError) as error:
                if len(self.left) > most:
                    raise _Lost(self.left, f"{where}: {TOO_LONG.format(most)}; nothing after it was read") from None
                if not self._more(max(CHUNK, len(self.left))):
                    reason = f"{where}: {str(error).lower()}; nothing after it was read"
                    cut = isinstance(error, ValueError) and not _is_wrong(error, self.left)
                    raise _Lost(self.left, reason, cut=cut) from None
