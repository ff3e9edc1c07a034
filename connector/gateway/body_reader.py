"""Read the body of a request: whole when it is small or inspected, else in chunks; bounded in size and time."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from typing import Self

import orjson
from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError

from connector.gateway.refusals import Refusal
from connector.model import JSON, members
from connector.request.wire import Body, BytesBody
from connector.stalled_readers import FLOOR

__all__ = ["BodyMemory", "MemoryShare", "StreamedBody", "beginning_of", "peek_model", "read_body", "read_whole_body"]

PEEK = 64 * 1024
"""Bytes of a body that are read before it is forwarded: a smaller one is sent whole, and again if it was not sent."""
MAX_INSPECTED = 64 * 1024 * 1024
"""The largest body of a request that counts against a limit."""
MEMORY = 512 * 1024 * 1024
"""All large ones of these together."""
FORM_MODEL = re.compile(rb'name="model"\r\n(?:[^\r\n]+\r\n)*\r\n([^\r\n]{1,100})\r\n')


class StreamedBody:
    """A body that is forwarded while it comes."""

    def __init__(self, request: web.BaseRequest, lead: bytes, max_bytes: int, chunks: _Chunks) -> None:
        self.content_type = request.headers.get("content-type", "")
        self.length = request.content_length
        self.lead = lead
        """What was read before it is forwarded."""
        self._max_bytes = max_bytes
        self._chunks = chunks

    async def chunks(self) -> AsyncIterator[bytes]:
        """Yield the chunks; Refusal when the caller sends too much, too slowly or nonsense."""
        size = len(self.lead)
        if self.lead:
            yield self.lead
        while chunk := await self._chunks.next():
            size += len(chunk)
            if size > self._max_bytes:
                raise _too_large(self._max_bytes)
            yield chunk


async def read_body(request: web.BaseRequest, max_bytes: int, idle: float) -> Body | None:
    """Return the body of a request: whole when it is small, else streamed; None when it has none.

    Args:
        request: whose body it is.
        max_bytes: the most that it may have.
        idle: seconds for the next 16 KB.
    """
    length = request.content_length
    if length is not None and length > max_bytes:
        raise _too_large(max_bytes)
    if not request.body_exists:
        return None
    _send_continue(request)
    content_type, chunks = request.headers.get("content-type", ""), _Chunks(request, idle)
    if not _may_name_model(content_type.lower()):
        return StreamedBody(request, b"", max_bytes, chunks)
    if chunks.are_small_and_complete:
        return BytesBody(content_type, _bounded(chunks.rest(), max_bytes))
    lead = bytearray()
    while len(lead) <= PEEK:
        chunk = await chunks.next()
        if not chunk:
            return BytesBody(content_type, _bounded(bytes(lead), max_bytes))
        lead += chunk
    return StreamedBody(request, bytes(lead), max_bytes, chunks)


async def read_whole_body(
    request: web.BaseRequest, max_bytes: int, idle: float, share: MemoryShare
) -> BytesBody | None:
    """Return the whole body of a request, or None when it has none.

    Args:
        request: whose body it is.
        max_bytes: the most that it may have.
        idle: seconds for the next 16 KB.
        share: the memory that it takes.
    """
    max_bytes = min(max_bytes, MAX_INSPECTED)
    if (request.content_length or 0) > max_bytes:
        raise _too_large_to_inspect(max_bytes)
    if not request.body_exists:
        return None
    _send_continue(request)
    data, chunks = bytearray(), _Chunks(request, idle)
    while chunk := await chunks.next():
        data += chunk
        if len(data) > max_bytes:
            raise _too_large_to_inspect(max_bytes)
        if len(data) > PEEK:
            share.take(len(chunk))
    return BytesBody(request.headers.get("content-type", ""), bytes(data))


def peek_model(body: Body) -> tuple[str, JSON]:
    """Return the model that a body names, as far as its beginning shows it, and the payload known so far."""
    content_type = body.content_type.lower()
    if isinstance(body, BytesBody) and "json" in content_type:
        try:
            payload = orjson.loads(body.data)
        except orjson.JSONDecodeError:
            return "", None
        model = members(payload).get("model")
        return (model if isinstance(model, str) else ""), payload
    found = FORM_MODEL.search(beginning_of(body)) if content_type.startswith("multipart/") else None
    model = found[1].decode(errors="replace").strip() if found else ""
    return model, ({"model": model} if model else None)


def beginning_of(body: Body | None) -> bytes:
    """Return as much of a body as was read before it is forwarded."""
    if isinstance(body, BytesBody):
        return body.data
    return body.lead if isinstance(body, StreamedBody) else b""


def _may_name_model(content_type: str) -> bool:
    return "json" in content_type or content_type.startswith("multipart/")


class _Chunks:
    """The chunks of a request's body, from a caller who must not take too long.

    Args:
        request: whose body it is.
        idle: seconds to wait for the next 16 KB, or the end; time spent elsewhere does not count.
    """

    def __init__(self, request: web.BaseRequest, idle: float) -> None:
        self._content = request.content
        self._idle = idle
        self._left = idle
        self._due = FLOOR

    @property
    def are_small_and_complete(self) -> bool:
        """Whether all of a small body has come."""
        content = self._content
        return content.is_eof() and content.total_bytes <= PEEK and content.exception() is None

    def rest(self) -> bytes:
        """Return what has come, when that is all."""
        return self._content.read_nowait()

    async def next(self) -> bytes:
        """Return the next chunk; empty at the end."""
        content = self._content
        try:
            chunk = content.read_nowait() or (b"" if content.at_eof() else await self._wait())
        except TimeoutError:
            raise self._too_slow() from None
        except (web.RequestPayloadError, HttpProcessingError):
            raise Refusal(400, "body_malformed", "the body is not framed as its headers say", close=True) from None
        self._due -= len(chunk)
        if self._due <= 0:
            self._left, self._due = self._idle, FLOOR
        return chunk

    async def _wait(self) -> bytes:
        clock = asyncio.get_running_loop().time
        since = clock()
        async with asyncio.timeout(self._left):
            chunk = await self._content.readany()
        self._left -= clock() - since
        return chunk

    def _too_slow(self) -> Refusal:
        message = f"less than {FLOOR // 1024} KB of the body came in {self._idle:g} s; send it without such pauses"
        return Refusal(408, "body_too_slow", message, close=True)


class BodyMemory:
    """The memory for bodies that are inspected: many large ones at a time are refused."""

    def __init__(self, size: int = MEMORY) -> None:
        self._left = size

    def share(self) -> MemoryShare:
        """Return a share for one request, which is given back when it is left."""
        return MemoryShare(self)

    def take(self, size: int) -> None:
        if size > self._left:
            message = "too many large bodies of tokens with limits are under way; send it again in a moment"
            headers = {"Retry-After": "5", "x-should-retry": "true"}
            raise Refusal(503, "too_many_bodies", message, headers=headers, close=True)
        self._left -= size

    def give_back(self, size: int) -> None:
        self._left += size


class MemoryShare:
    """The memory that one request has taken."""

    __slots__ = ("_memory", "_taken")

    def __init__(self, memory: BodyMemory) -> None:
        self._memory = memory
        self._taken = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: object, error: object, trace: object) -> None:
        if self._taken:
            self._memory.give_back(self._taken)

    def take(self, size: int) -> None:
        self._memory.take(size)
        self._taken += size


def _send_continue(request: web.BaseRequest) -> None:
    """Tell a caller who waits for it that the body may be sent."""
    expected = request.headers.get("expect", "")
    if not expected:
        return
    if expected.lower() != "100-continue":
        raise Refusal(417, "unknown_expectation", "only `Expect: 100-continue` is known", close=True)
    transport = request.transport
    if transport is not None:
        transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")


def _bounded(data: bytes, max_bytes: int) -> bytes:
    if len(data) > max_bytes:
        raise _too_large(max_bytes)
    return data


def _too_large(max_bytes: int) -> Refusal:
    return Refusal(413, "body_too_large", f"the body has more than {max_bytes} bytes (gateway.body_bytes)", close=True)


def _too_large_to_inspect(max_bytes: int) -> Refusal:
    message = f"the body has more than {max_bytes} bytes, the most that is looked at for a token with limits"
    return Refusal(413, "body_too_large", message, close=True)
