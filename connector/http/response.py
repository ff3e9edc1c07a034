"""Reading an answer: its headers; its body, bounded while it streams and taken for what was due; the error in it."""

from __future__ import annotations

import asyncio
import sys
import zlib
from array import array
from base64 import b64decode
from binascii import Error
from collections.abc import AsyncGenerator, AsyncIterable, AsyncIterator, Iterable, Mapping
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any, BinaryIO

import orjson

from connector.aio.atomic_file import AtomicFile
from connector.model import JSON, items, members
from connector.timing import Timing

__all__ = [
    "ACCEPTED_ENCODINGS",
    "EXCERPT_LENGTH",
    "ServerClock",
    "UnacceptableBody",
    "UnexpectedBody",
    "check_size",
    "cut_excerpt",
    "decode_body",
    "decode_leniently",
    "decompress",
    "find_error_codes",
    "find_error_message",
    "is_error",
    "iter_body",
    "iter_once",
    "parse_header_lines",
    "parse_headers",
    "read_body",
    "save_body",
    "unpack_embeddings",
]

ACCEPTED_ENCODINGS = "gzip, deflate"
PIECE = 256 * 1024
HARMLESS = 1024 * 1024
"""Below this many bytes no ratio is suspicious."""
STEEPEST = 200
"""JSON that repeats itself packs about 1:100; deflate's own limit is 1:1032."""
EXCERPT_LENGTH = 2048
LONGEST_MESSAGE = 16 * 1024


def parse_headers(raw: Iterable[tuple[bytes, bytes]]) -> dict[str, str]:
    """Return the headers by lower-case name, values of one name joined; cookies are left out."""
    found: dict[str, str] = {}
    for raw_name, raw_value in raw:
        name, value = raw_name.decode("latin-1").lower(), raw_value.decode("latin-1")
        found[name] = f"{found[name]}, {value}" if name in found else value
    found.pop("set-cookie", None)
    return found


def parse_header_lines(lines: bytes) -> dict[str, str]:
    """Return the same of headers that were not taken apart, each with a line end before it."""
    found: dict[str, str] = {}
    for line in lines.decode("latin-1").split("\r\n")[1:]:
        given, _, value = line.partition(":")
        name, value = given.lower(), value.strip(" \t")
        found[name] = f"{found[name]}, {value}" if name in found else value
    found.pop("set-cookie", None)
    return found


class ServerClock:
    """Learns a server's time from the `Date` of its answers and goes on by the monotonic clock."""

    def __init__(self, timing: Timing) -> None:
        self._timing = timing
        self._ahead: float | None = None
        self._seen = ""

    def update(self, headers: Mapping[str, str]) -> None:
        """Take the time that a response says; nonsense changes nothing."""
        text = headers.get("date", "")
        if not text or text == self._seen:
            return  # the first answer of a second is the nearest to its beginning
        self._seen = text
        try:
            said = parsedate_to_datetime(text).timestamp()
        except (ValueError, TypeError, OverflowError, OSError):
            return
        self._ahead = said - self._timing.clock()

    @property
    def now(self) -> float | None:
        """Seconds since 1970 by the server's clock; None before the first answer with a date."""
        return None if self._ahead is None else self._timing.clock() + self._ahead


class UnexpectedBody(Exception):
    """A complete answer of another kind than the operation gives, with what came."""

    def __init__(self, reason: str, data: bytes) -> None:
        super().__init__(reason)
        self.data = data


async def iter_once(data: bytes) -> AsyncGenerator[bytes, None]:
    """Yield bytes that are all there."""
    if data:
        yield data


def check_size(data: bytes, most: int) -> bytes:
    """Return the bytes; more than `most` of them raise UnacceptableBody."""
    if len(data) > most:
        raise UnacceptableBody(f"the answer is larger than {most} bytes (max_answer_bytes)")
    return data


async def read_body(chunks: AsyncIterable[bytes], most: int) -> bytes:
    """Return all the bytes; more than `most` of them raise UnacceptableBody."""
    parts: list[bytes] = []
    size = 0
    async for chunk in chunks:
        size += len(chunk)
        if size > most:
            raise UnacceptableBody(f"the answer is larger than {most} bytes (max_answer_bytes)")
        parts.append(chunk)
    return parts[0] if len(parts) == 1 else b"".join(parts)


async def save_body(chunks: AsyncIterable[bytes], to: Path, most: int) -> int:
    """Write the bytes to a file that appears once they are whole, and return their number."""
    file = AtomicFile(to)
    try:
        size = await _copy(chunks, file.file, most)
        await asyncio.to_thread(file.commit)
    except BaseException:
        file.discard()
        raise
    return size


async def _copy(chunks: AsyncIterable[bytes], file: BinaryIO, most: int) -> int:
    size = 0
    async for chunk in chunks:
        size += len(chunk)
        if size > most:
            raise UnacceptableBody(f"the answer is larger than {most} bytes (max_file_bytes)")
        file.write(chunk)
    return size


def decode_body(kind: str, data: bytes, content_type: str, *, strict: bool, text_too: bool = False) -> JSON:
    """Return the body as the kind of answer that is due; `text_too` says that plain text is as good as JSON."""
    if kind == "binary":
        return data
    if kind == "text":
        return _decode_text(data, content_type)
    if kind == "empty":
        return decode_leniently(data, content_type) if data.strip() else None
    try:
        return orjson.loads(data)
    except orjson.JSONDecodeError:
        pass
    if not strict or (text_too and content_type.startswith("text/plain")):
        return decode_leniently(data, content_type) if data else None
    raise UnexpectedBody(f"JSON was due, and {_describe_body(data, content_type)} came", data)


def decode_leniently(data: bytes, content_type: str) -> JSON:
    """Return JSON if it is, else text if it may be, else the bytes."""
    try:
        return orjson.loads(data)
    except orjson.JSONDecodeError:
        textual = content_type.startswith("text/") or "json" in content_type or "xml" in content_type
        return _decode_text(data, content_type) if textual or not content_type else data


def _decode_text(data: bytes, content_type: str) -> str:
    _, _, charset = content_type.partition("charset=")
    codec: Any = charset.partition(";")[0].strip(" \"'") or "utf-8"
    try:
        return data.decode(codec, errors="replace")
    except LookupError:
        return data.decode(errors="replace")


def _describe_body(data: bytes, content_type: str) -> str:
    kind = content_type.partition(";")[0].strip()
    if not data:
        return "an empty body"
    if kind and "json" not in kind:
        return f"{kind[:60]!r}"
    return "something that is not JSON"


def iter_body(stream: AsyncIterable[bytes], headers: Mapping[str, str]) -> AsyncIterable[bytes]:
    """Return the bytes of an answer as they come, without their content encoding."""
    return decompress(stream, headers.get("content-encoding", ""))


class UnacceptableBody(Exception):
    """An answer that is not read on, and why."""


def decompress(chunks: AsyncIterable[bytes], encoding: str) -> AsyncIterable[bytes]:
    """Return the chunks as they were before their content encoding, never more than a piece at a time."""
    encoding = encoding.strip().lower()
    if encoding in ("", "identity"):
        return chunks
    if encoding in ("gzip", "x-gzip", "deflate"):
        return _inflate(chunks, gzip=encoding != "deflate")
    raise UnacceptableBody(f"the answer's content encoding {encoding[:40]!r} was not asked for")


async def _inflate(chunks: AsyncIterable[bytes], *, gzip: bool) -> AsyncIterator[bytes]:
    inflater = None
    taken = given = 0
    async for chunk in chunks:
        taken += len(chunk)
        inflater = inflater or zlib.decompressobj(zlib.MAX_WBITS | 16 if gzip else _find_window(chunk))
        pending = chunk
        while pending and not inflater.eof:
            try:
                piece = inflater.decompress(pending, PIECE)
            except zlib.error:
                break
            pending = inflater.unconsumed_tail
            given += len(piece)
            if given > HARMLESS and given > STEEPEST * taken:
                raise UnacceptableBody(f"the answer unpacks to more than {STEEPEST} times its size")
            yield piece
        else:
            continue
        raise UnacceptableBody("the compressed answer is corrupt")
    if inflater is not None and not inflater.eof:
        raise UnacceptableBody("the compressed answer ends too early")


def _find_window(first: bytes) -> int:
    """Return the window of a `deflate` stream: its first byte tells whether it is a zlib or a raw one."""
    return zlib.MAX_WBITS if first and first[0] & 0x0F == 8 else -zlib.MAX_WBITS


def unpack_embeddings(body: JSON) -> JSON:
    """Return the body with every base64 embedding unpacked from little-endian float32; all else stays as it is."""
    for item in map(members, items(members(body).get("data"))):
        if isinstance(packed := item.get("embedding"), str):
            item["embedding"] = _unpack(packed)
    return body


def _unpack(packed: str) -> list[float] | str:
    floats = array("f")
    try:
        floats.frombytes(b64decode(packed, validate=True))
    except (Error, ValueError):
        return packed
    if sys.byteorder == "big":
        floats.byteswap()
    return floats.tolist()


def is_error(body: JSON, *, created: bool = False) -> bool:
    """Return whether the body of a success is an error after all.

    An entity may tell of an error of its own, such as a failed job that is read; only when the call has just created
    the entity is that error the call's.
    """
    fields = members(body)
    error = fields.get("error")
    if isinstance(error, dict):
        error = any(value not in (None, "") for value in members(error).values())
    return bool(error) and (created or not ("object" in fields or "id" in fields))


def find_error_codes(body: JSON) -> frozenset[str]:
    """Return the error's code and type; a stream's error event has them at its top."""
    fields = _find_fields(body)
    return frozenset(value for name in ("code", "type") if isinstance(value := fields.get(name), str))


def find_error_message(body: JSON) -> str:
    """Return the error in the server's own words, short; empty when it has none."""
    if isinstance(body, str):
        return _join_lines(body) if "<" not in body[:50] else ""
    fields = _find_fields(body)
    for name in ("message", "detail", "error_description", "error", "title"):
        value = fields.get(name)
        if isinstance(value, str) and value.strip():
            return _join_lines(value)
    return ""


def cut_excerpt(data: bytes) -> str:
    """Return the beginning of an unusable answer, more than is kept: secrets are hidden before it is cut."""
    return data[: 4 * EXCERPT_LENGTH].decode(errors="replace")


def _find_fields(body: JSON) -> dict[str, JSON]:
    """Return the object that holds the error's fields."""
    outer = members(body)
    return members(outer.get("error")) or outer


def _join_lines(text: str) -> str:
    return " ".join(text[:LONGEST_MESSAGE].split())
