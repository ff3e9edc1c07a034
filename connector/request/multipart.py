"""Forms on the wire: multipart/form-data, streamed, with its length known before it is sent."""

from __future__ import annotations

import os
import re
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from typing import NamedTuple, cast

from connector.documents import dump, member_path
from connector.model import JSON, Fault
from connector.request.file_access import Roots
from connector.request.files import FileInput, is_file, open_input
from connector.request.query import encode_scalar
from connector.request.sources import Source

__all__ = ["MultipartBody", "Part", "build_parts"]

ESCAPED = re.compile(r'["\\\x00-\x1a\x1c-\x1f]')


class Part(NamedTuple):
    """One part of a form: a text field, or a file."""

    name: str
    value: str | FileInput
    content_type: str | None = None


def build_parts(
    payload: Mapping[str, JSON], types: Mapping[str, str], roots: Roots, where: str = "payload"
) -> tuple[list[Part], list[Fault]]:
    """Return the parts in sending order, scalars first and files last, and the faults of the files and names."""
    fields: list[Part] = []
    files: list[Part] = []
    faults: list[Fault] = []
    for name, place, value in _iter_leaves(payload, types, where):
        if any(character in "\r\n\0" for character in name):
            faults.append(Fault(place, "a name with a line break or NUL", "a name without them is allowed"))
        elif is_file(value):
            found = open_input(value, place, roots)
            if isinstance(found, Fault):
                faults.append(found)
            else:
                files.append(Part(name, found))
        elif name in types:
            text = value if isinstance(value, str) else dump(value, place).decode()
            files.append(Part(name, text, types[name]))
        else:
            fields.append(Part(name, encode_scalar(value)))
    return _group(fields) + files, faults


def _iter_leaves(payload: Mapping[str, JSON], types: Mapping[str, str], where: str) -> Iterator[tuple[str, str, JSON]]:
    """Yield name on the wire, place in the payload and value of every part; nulls are dropped."""
    for key, value in payload.items():
        place = member_path(where, key)
        if key in types:
            yield key, place, value
        else:
            yield from _iter_below(key, place, value)


def _iter_below(name: str, place: str, value: JSON) -> Iterator[tuple[str, str, JSON]]:
    if isinstance(value, dict) and not is_file(value):
        for key, child in cast("dict[str, JSON]", value).items():
            yield from _iter_below(f"{name}[{key}]", member_path(place, key), child)
    elif isinstance(value, list | tuple):
        for index, child in enumerate(cast("list[JSON]", value)):
            yield from _iter_below(f"{name}[]", member_path(place, index), child)
    elif value is not None:
        yield name, place, value


def _group(fields: list[Part]) -> list[Part]:
    """Return fields of one name together, at the place of the first one."""
    groups: dict[str, list[Part]] = {}
    for field in fields:
        groups.setdefault(field.name, []).append(field)
    return [field for group in groups.values() for field in group]


class MultipartBody:
    """A form; files are read while they are sent, and again for every pass."""

    def __init__(self, parts: Sequence[Part], boundary: str | None = None) -> None:
        self.parts = tuple(parts)
        # Random, so that no content can hold it on purpose.
        self.boundary = boundary or os.urandom(16).hex()
        self._pieces = self._lay_out()

    @property
    def content_type(self) -> str:
        return f"multipart/form-data; boundary={self.boundary}"

    @property
    def length(self) -> int | None:
        total = 0
        for piece in self._pieces:
            size = len(piece) if isinstance(piece, bytes) else piece.size
            if size is None:
                return None
            total += size
        return total

    async def chunks(self) -> AsyncIterator[bytes]:
        for piece in self._pieces:
            if isinstance(piece, bytes):
                yield piece
            else:
                async for chunk in piece.chunks():
                    yield chunk

    def _lay_out(self) -> list[bytes | Source]:
        """Return texts joined into as few pieces as there are files between them."""
        pieces: list[bytes | Source] = []
        text = bytearray()
        for part in self.parts:
            text += f"--{self.boundary}\r\n{_write_headers(part)}\r\n\r\n".encode()
            if isinstance(part.value, FileInput):
                pieces += [bytes(text), part.value.source]
                text = bytearray()
            else:
                text += part.value.encode()
            text += b"\r\n"
        return [*pieces, bytes(text) + f"--{self.boundary}--\r\n".encode()]


def _write_headers(part: Part) -> str:
    value, content_type = part.value, part.content_type
    line = f'Content-Disposition: form-data; name="{quote_name(part.name)}"'
    if isinstance(value, FileInput):
        content_type = value.content_type
        line += f'; filename="{quote_name(value.filename)}"' if value.filename else ""
    return f"{line}\r\nContent-Type: {content_type}" if content_type else line


def quote_name(text: str) -> str:
    """Return a name as it is written between quotes, with UTF-8 unchanged."""
    return ESCAPED.sub(_escape, text)


def _escape(match: re.Match[str]) -> str:
    return "\\\\" if match[0] == "\\" else f"%{ord(match[0]):02X}"
