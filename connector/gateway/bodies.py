"""A caller's body on its way: small ones whole, all others in pieces, bounded in size and in silence."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass

import orjson
from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError

from connector.gateway.refusals import Refused
from connector.model import JSON, members
from connector.request.wire import Body, BytesBody
from connector.stalled_readers import FLOOR

__all__ = ["PEEK", "Known", "Pieces", "Streamed", "beginning", "go_on", "known_of", "received"]

PEEK = 64 * 1024
"""So much of a body is looked at before it goes on: a smaller one is sent whole, and again when it was not sent."""
FORM_MODEL = re.compile(rb'name="model"\r\n(?:[^\r\n]+\r\n)*\r\n([^\r\n]{1,100})\r\n')


class Streamed:
    """A body that goes on as it comes."""

    def __init__(self, request: web.BaseRequest, lead: bytes, most: int, pieces: Pieces) -> None:
        self.content_type = request.headers.get("content-type", "")
        self.length = request.content_length
        self._lead = lead
        self._most = most
        self._pieces = pieces

    @property
    def beginning(self) -> bytes:
        """What was looked at before it went on."""
        return self._lead

    async def chunks(self) -> AsyncIterator[bytes]:
        """The pieces; a caller who sends too much, too slowly or nonsense is refused."""
        size = len(self._lead)
        if self._lead:
            yield self._lead
        while piece := await self._pieces.next():
            size += len(piece)
            if size > self._most:
                raise _too_large(self._most)
            yield piece


async def received(request: web.BaseRequest, most: int, idle: float) -> Body | None:
    """The body of a request: whole when it is small, or else what gives the rest of it while it comes."""
    length = request.content_length
    if length is not None and length > most:
        raise _too_large(most)
    if not request.body_exists:
        return None
    await go_on(request)
    content_type = request.headers.get("content-type", "")
    if not _worth_a_look(content_type.lower()):
        return Streamed(request, b"", most, Pieces(request, idle))
    pieces = Pieces(request, idle)
    if pieces.are_few:
        return BytesBody(content_type, _within(pieces.rest(), most))
    lead = bytearray()
    while len(lead) <= PEEK:
        piece = await pieces.next()
        if not piece:
            return BytesBody(content_type, _within(bytes(lead), most))
        lead += piece
    return Streamed(request, bytes(lead), most, pieces)


@dataclass(slots=True)
class Known:
    """What is known of a body before it goes on."""

    model: str = ""
    payload: JSON = None


def known_of(body: Body) -> Known:
    """What a body says about the model, as far as its beginning shows it."""
    content_type = body.content_type.lower()
    if isinstance(body, BytesBody) and "json" in content_type:
        try:
            payload = orjson.loads(body.data)
        except orjson.JSONDecodeError:
            return Known()
        model = members(payload).get("model")
        return Known(model if isinstance(model, str) else "", payload)
    found = FORM_MODEL.search(beginning(body)) if content_type.startswith("multipart/") else None
    model = found[1].decode(errors="replace").strip() if found else ""
    return Known(model, {"model": model} if model else None)


def beginning(body: Body | None) -> bytes:
    """As much of a body as was seen before it went on."""
    if isinstance(body, BytesBody):
        return body.data
    return body.beginning if isinstance(body, Streamed) else b""


def _worth_a_look(content_type: str) -> bool:
    return "json" in content_type or content_type.startswith("multipart/")


class Pieces:
    """The bytes of a request's body as they come, from a caller who must not take too long.

    Args:
        request: whose body it is.
        idle: seconds that may be waited for the next 16 KB, or the end; what happens elsewhere takes none of them.
    """

    def __init__(self, request: web.BaseRequest, idle: float) -> None:
        self._content = request.content
        self._idle = idle
        self._left = idle
        self._due = FLOOR

    @property
    def are_few(self) -> bool:
        """Whether all of a small body has come."""
        content = self._content
        return content.is_eof() and content.total_bytes <= PEEK and content.exception() is None

    def rest(self) -> bytes:
        """What has come, when that is all."""
        return self._content.read_nowait()

    async def next(self) -> bytes:
        """The next bytes; none at the end."""
        content = self._content
        try:
            piece = content.read_nowait() or (b"" if content.at_eof() else await self._waited())
        except TimeoutError:
            raise self._too_slow() from None
        except (web.RequestPayloadError, HttpProcessingError):
            raise Refused(400, "body_malformed", "the body is not framed as its headers say", close=True) from None
        self._due -= len(piece)
        if self._due <= 0:
            self._left, self._due = self._idle, FLOOR
        return piece

    async def _waited(self) -> bytes:
        clock = asyncio.get_running_loop().time
        since = clock()
        async with asyncio.timeout(self._left):
            piece = await self._content.readany()
        self._left -= clock() - since
        return piece

    def _too_slow(self) -> Refused:
        message = f"less than {FLOOR // 1024} KB of the body came in {self._idle:g} s; send it without such pauses"
        return Refused(408, "body_too_slow", message, close=True)


async def go_on(request: web.BaseRequest) -> None:
    """Tells a caller who waits for it that the body may be sent."""
    expected = request.headers.get("expect", "")
    if not expected:
        return
    if expected.lower() != "100-continue":
        raise Refused(417, "unknown_expectation", "only `Expect: 100-continue` is known", close=True)
    transport = request.transport
    if transport is not None:
        transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")


def _within(data: bytes, most: int) -> bytes:
    """A whole body, unless it is too large."""
    if len(data) > most:
        raise _too_large(most)
    return data


def _too_large(most: int) -> Refused:
    return Refused(413, "body_too_large", f"the body has more than {most} bytes (gateway.body_bytes)", close=True)
