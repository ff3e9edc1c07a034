"""JSONL: one JSON value a line. A line that is none is unreadable by itself; the others are read."""

from __future__ import annotations

from typing import BinaryIO

from connector.documents import dump, parse
from connector.errors import InvalidDocument
from connector.formats.blocks import NO_LINE_END, Blocks, IncompleteEnd, ResumePoint, UnreadableDocument
from connector.model import JSON

__all__ = ["JsonlWriter", "read_jsonl"]

CHUNK = 256 * 1024
SHOWN = 100_000
"""Bytes kept of a line that is no document."""
TAIL = 1024
"""Bytes that tell whether a file is still the same up to a place."""
START = ResumePoint(0, 0, b"")


def read_jsonl(file: BinaryIO, name: str, most: int, since: ResumePoint = START) -> Blocks:
    """Yield a block for each read, so that the documents of a slow pipe do not wait, with the resume point after it.

    A last line without a line end is taken when it holds a whole object, list or text; anything else may be the
    beginning of a longer line, and the last resume point stays before it.
    """
    number, offset, rest, too_long = since.line, since.offset, b"", False
    while chunk := _read(file):
        *lines, rest = (rest + chunk).split(b"\n")
        block: list[JSON | UnreadableDocument | ResumePoint | IncompleteEnd] = []
        for line in lines:
            number += 1
            if too_long or line.strip():
                block += _parse_line(line, name, number, most, too_long)
            too_long = False
        offset += len(chunk)
        if len(rest) > most:
            rest, too_long = rest[:SHOWN], True
        elif lines and not too_long:
            block.append(ResumePoint(number, offset - len(rest), _tail(lines)))
        yield block
    if rest.strip() or too_long:
        found = _parse_line(rest, name, number + 1, most, too_long)
        if isinstance(found[0], (dict, list, str)):
            # Should the file grow, what is left of this line is an empty one of the same number.
            yield [*found, ResumePoint(number, offset, rest[-TAIL:])]
        else:
            yield [IncompleteEnd(f"{name}, line {number + 1}", NO_LINE_END, found)]


def _tail(lines: list[bytes]) -> bytes:
    """Return the last bytes of lines that all have a line end."""
    return b"\n".join([*lines[-TAIL:], b""])[-TAIL:]


def _read(file: BinaryIO) -> bytes:
    # What is there already, rather than a full chunk that a pipe may never have.
    read = getattr(file, "read1", file.read)
    data: bytes = read(CHUNK)
    return data


def _parse_line(line: bytes, name: str, number: int, most: int, too_long: bool) -> list[JSON | UnreadableDocument]:
    where = f"{name}, line {number}"
    if too_long or len(line) > most:
        reason = f"{where}: longer than {most} bytes, the most that max_document_bytes allows"
        return [UnreadableDocument({"$text": _text(line)}, reason)]
    try:
        return [parse(line, where=where)]
    except InvalidDocument as error:
        return [UnreadableDocument({"$text": _text(line)}, str(error))]


def _text(line: bytes) -> str:
    return line[:SHOWN].decode(errors="replace").replace("\0", "\ufffd").rstrip("\r")


class JsonlWriter:
    """Writes one JSON value a line."""

    def add(self, document: JSON) -> bytes:
        return dump(document) + b"\n"

    def end(self) -> bytes:
        return b""
