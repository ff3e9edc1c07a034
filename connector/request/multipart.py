"""Forms on the wire: multipart/form-data, streamed, with its length known before it is sent."""

from __future__ import annotations

import os
import re
from collections.abc import AsyncIterator, Sequence

from connector.request.files import FileInput
from connector.request.form import Part
from connector.request.sources import Source

__all__ = ["MultipartBody"]

ESCAPED = re.compile(r'["\\\x00-\x1a\x1c-\x1f]')


class MultipartBody:
    """A form; files are read while they are sent, and again for every pass."""

    def __init__(self, parts: Sequence[Part], boundary: str | None = None) -> None:
        self.parts = tuple(parts)
        # Random, so that no content can hold it on purpose.
        self.boundary = boundary or os.urandom(16).hex()
        self._pieces = self._laid_out()

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

    def _laid_out(self) -> list[bytes | Source]:
        """Texts joined into as few pieces as there are files between them."""
        pieces: list[bytes | Source] = []
        text = bytearray()
        for part in self.parts:
            text += f"--{self.boundary}\r\n{_headers(part)}\r\n\r\n".encode()
            if isinstance(part.value, FileInput):
                pieces += [bytes(text), part.value.source]
                text = bytearray()
            else:
                text += part.value.encode()
            text += b"\r\n"
        return [*pieces, bytes(text) + f"--{self.boundary}--\r\n".encode()]


def _headers(part: Part) -> str:
    value, content_type = part.value, part.content_type
    line = f'Content-Disposition: form-data; name="{quoted(part.name)}"'
    if isinstance(value, FileInput):
        content_type = value.content_type
        line += f'; filename="{quoted(value.filename)}"' if value.filename else ""
    return f"{line}\r\nContent-Type: {content_type}" if content_type else line


def quoted(text: str) -> str:
    """A name as it stands between quotes, UTF-8 as it is."""
    return ESCAPED.sub(_escape, text)


def _escape(match: re.Match[str]) -> str:
    return "\\\\" if match[0] == "\\" else f"%{ord(match[0]):02X}"
