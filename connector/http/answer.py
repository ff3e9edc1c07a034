"""Reading an answer: bounded while it streams, and taken for what was due."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterable
from contextlib import suppress
from pathlib import Path
from secrets import token_hex
from typing import Any, BinaryIO

import orjson

from connector.http.decompress import Unacceptable
from connector.model import JSON

__all__ = ["NotWhatWasDue", "decode", "lenient", "read", "save"]


class NotWhatWasDue(Exception):
    """A complete answer of another kind than the operation gives, with what came."""

    def __init__(self, reason: str, data: bytes) -> None:
        super().__init__(reason)
        self.data = data


async def read(chunks: AsyncIterable[bytes], most: int) -> bytes:
    """All the bytes; more than `most` of them raise Unacceptable."""
    parts: list[bytes] = []
    size = 0
    async for chunk in chunks:
        size += len(chunk)
        if size > most:
            raise Unacceptable(f"the answer is larger than {most} bytes (max_answer_bytes)")
        parts.append(chunk)
    return parts[0] if len(parts) == 1 else b"".join(parts)


async def save(chunks: AsyncIterable[bytes], to: Path, most: int) -> int:
    """Writes the bytes beside the file and puts them in its place once they are whole; returns their number."""
    part = to.with_name(f".{to.name}.{token_hex(4)}.part")
    try:
        with part.open("xb") as file:
            size = await _copied(chunks, file, most)
            file.flush()
            await asyncio.to_thread(os.fsync, file.fileno())
        part.replace(to)
    except BaseException:
        with suppress(OSError):
            part.unlink()
        raise
    return size


async def _copied(chunks: AsyncIterable[bytes], file: BinaryIO, most: int) -> int:
    size = 0
    async for chunk in chunks:
        size += len(chunk)
        if size > most:
            raise Unacceptable(f"the answer is larger than {most} bytes (max_file_bytes)")
        file.write(chunk)
    return size


def decode(kind: str, data: bytes, content_type: str, *, strict: bool, text_too: bool = False) -> JSON:
    """The body as the kind of answer that is due; `text_too` says that plain text is as good as JSON."""
    if kind == "binary":
        return data
    if kind == "text":
        return _text(data, content_type)
    if kind == "empty":
        return lenient(data, content_type) if data.strip() else None
    try:
        return orjson.loads(data)
    except orjson.JSONDecodeError:
        pass
    if not strict or (text_too and content_type.startswith("text/plain")):
        return lenient(data, content_type) if data else None
    raise NotWhatWasDue(f"JSON was due, and {_seen(data, content_type)} came", data)


def lenient(data: bytes, content_type: str) -> JSON:
    """JSON if it is, else text if it may be, else the bytes."""
    try:
        return orjson.loads(data)
    except orjson.JSONDecodeError:
        textual = content_type.startswith("text/") or "json" in content_type or "xml" in content_type
        return _text(data, content_type) if textual or not content_type else data


def _text(data: bytes, content_type: str) -> str:
    _, _, charset = content_type.partition("charset=")
    codec: Any = charset.partition(";")[0].strip(" \"'") or "utf-8"
    try:
        return data.decode(codec, errors="replace")
    except LookupError:
        return data.decode(errors="replace")


def _seen(data: bytes, content_type: str) -> str:
    kind = content_type.partition(";")[0].strip()
    if not data:
        return "an empty body"
    if kind and "json" not in kind:
        return f"{kind[:60]!r}"
    return "something that is not JSON"
