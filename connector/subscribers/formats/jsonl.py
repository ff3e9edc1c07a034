"""One JSON value a line; a line that is none is lost with its number, the others come."""

from __future__ import annotations

from typing import BinaryIO

from connector.documents import parse
from connector.errors import InvalidDocument
from connector.model import JSON
from connector.subscribers.context import Lost
from connector.subscribers.formats import NO_LINE_END, Blocks, Reached, Unfinished

__all__ = ["documents", "resumable"]

CHUNK = 256 * 1024
SHOWN = 100_000
"""How much of a line that is no document is kept."""
TAIL = 1024
"""How many bytes tell whether a file is still the same up to a place."""
START = Reached(0, 0, b"")


def documents(file: BinaryIO, name: str, most: int) -> Blocks:
    """A block for what each read gave, so that a slow pipe's documents do not wait for the next."""
    for block in resumable(file, name, most):
        yield [item for item in block if not isinstance(item, Reached)]


def resumable(file: BinaryIO, name: str, most: int, since: Reached = START) -> Blocks:
    """The same, each block with where the file goes on.

    A last line without an end is taken when it holds a whole object, list or text; whatever else it is may be only the
    beginning of a line, and the file goes on before it.
    """
    number, offset, rest, too_long = since.line, since.offset, b"", False
    while chunk := _read(file):
        *lines, rest = (rest + chunk).split(b"\n")
        block: list[JSON | Lost | Reached | Unfinished] = []
        for line in lines:
            number += 1
            if too_long or line.strip():
                block += _one(line, name, number, most, too_long)
            too_long = False
        offset += len(chunk)
        if len(rest) > most:
            rest, too_long = rest[:SHOWN], True
        elif lines and not too_long:
            block.append(Reached(number, offset - len(rest), _tail(lines)))
        yield block
    if rest.strip() or too_long:
        found = _one(rest, name, number + 1, most, too_long)
        if isinstance(found[0], (dict, list, str)):
            # Should the file grow, what is left of this line is an empty one of the same number.
            yield [*found, Reached(number, offset, rest[-TAIL:])]
        else:
            yield [Unfinished(f"{name}, line {number + 1}", NO_LINE_END, found)]


def _tail(lines: list[bytes]) -> bytes:
    """The last bytes of lines that all have an end."""
    return b"\n".join([*lines[-TAIL:], b""])[-TAIL:]


def _read(file: BinaryIO) -> bytes:
    # What is there already, rather than a full chunk that a pipe may never have.
    read = getattr(file, "read1", file.read)
    data: bytes = read(CHUNK)
    return data


def _one(line: bytes, name: str, number: int, most: int, too_long: bool) -> list[JSON | Lost]:
    where = f"{name}, line {number}"
    if too_long or len(line) > most:
        return [
            Lost({"$text": _text(line)}, f"{where}: longer than {most} bytes, the most that max_document_bytes allows")
        ]
    try:
        return [parse(line, where=where)]
    except InvalidDocument as error:
        return [Lost({"$text": _text(line)}, str(error))]


def _text(line: bytes) -> str:
    return line[:SHOWN].decode(errors="replace").replace("\0", "\ufffd").rstrip("\r")
