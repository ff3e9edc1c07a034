"""The body of a call that counts against a limit: read whole before it goes on, and refused when it hides anything."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Self

from aiohttp import web

from connector.documents import parse
from connector.errors import InvalidDocument
from connector.gateway.bodies import PEEK, Pieces, go_on
from connector.gateway.forms import form_of
from connector.gateway.refusals import Refused
from connector.model import JSON, is_document
from connector.request.wire import BytesBody

__all__ = ["Content", "Room", "content_of", "whole"]

MOST = 64 * 1024 * 1024
"""The largest body of a call that counts against a limit."""
ROOM = 512 * 1024 * 1024
"""All large ones of these together."""
JSON_TYPE = re.compile(r"application/json(?:\s*;\s*charset=\"?utf-8\"?)?\s*", re.IGNORECASE)
MARK = b"\xef\xbb\xbf"
ALLOWED = "a token with limits sends application/json in UTF-8 or multipart/form-data, without a content encoding"


@dataclass(slots=True)
class Content:
    """What a body says."""

    payload: Mapping[str, JSON] = field(default_factory=dict[str, JSON])
    size: int = 0
    """Bytes beside files."""
    files: list[int] = field(default_factory=list[int])
    """The bytes of each file."""


class Room:
    """Memory for bodies that are held, so that many large ones wait for their callers and not in here."""

    def __init__(self, most: int = ROOM) -> None:
        self._left = most

    def share(self) -> Share:
        """A part of it, which is given back when it is left."""
        return Share(self)

    def take(self, size: int) -> None:
        if size > self._left:
            message = "too many large bodies of tokens with limits are under way; send it again in a moment"
            headers = {"Retry-After": "5", "x-should-retry": "true"}
            raise Refused(503, "too_many_bodies", message, headers=headers, close=True)
        self._left -= size

    def give_back(self, size: int) -> None:
        self._left += size


class Share:
    """What one call has of the room."""

    __slots__ = ("_room", "taken")

    def __init__(self, room: Room) -> None:
        self._room = room
        self.taken = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: object, error: object, trace: object) -> None:
        if self.taken:
            self._room.give_back(self.taken)

    def take(self, size: int) -> None:
        self._room.take(size)
        self.taken += size


async def whole(request: web.BaseRequest, most: int, idle: float, share: Share) -> BytesBody | None:
    """The whole body of a request, or None when it has none."""
    most = min(most, MOST)
    if (request.content_length or 0) > most:
        raise _too_large(most)
    if not request.body_exists:
        return None
    await go_on(request)
    data, pieces = bytearray(), Pieces(request, idle)
    while piece := await pieces.next():
        data += piece
        if len(data) > most:
            raise _too_large(most)
        if len(data) > PEEK:
            share.take(len(piece))
    return BytesBody(request.headers.get("content-type", ""), bytes(data))


def content_of(request: web.BaseRequest, body: BytesBody | None, *, strict: bool) -> Content:
    """What a body says.

    Args:
        request: its headers say how to read the body.
        body: as it came.
        strict: whether one that cannot be read, or could be read in two ways, is refused; else its size is all of it.
    """
    if body is None or not body.data:
        return Content()
    try:
        return _read(request, body)
    except Refused:
        if strict:
            raise
        return Content(size=len(body.data))


def _read(request: web.BaseRequest, body: BytesBody) -> Content:
    if request.headers.get("content-encoding", "identity").strip().lower() != "identity":
        raise Refused(415, "body_unclear", f"the body has a content encoding; {ALLOWED}", close=True)
    if JSON_TYPE.fullmatch(body.content_type):
        return Content(_document(body.data), len(body.data))
    if body.content_type.lower().startswith("multipart/form-data"):
        form = form_of(body.content_type, body.data)
        files = sum(form.files)
        payload = {name: _unfolded(name, text) for name, text in form.fields.items()}
        return Content(payload, len(body.data) - files, form.files)
    raise Refused(415, "body_unclear", f"the body's type is {body.content_type[:60]!r}; {ALLOWED}", close=True)


def _unfolded(name: str, text: str) -> JSON:
    """The value of a field: some are JSON, such as the session of a realtime call, and may name a model."""
    if not text.lstrip().startswith(("{", "[")):
        return text
    try:
        return parse(text.encode(), name)
    except InvalidDocument:
        if "model" not in text.casefold() and "\\u" not in text:
            return text
    raise Refused(400, "body_unclear", f"the field {name[:60]!r} can be read in more than one way", close=True)


def _document(data: bytes) -> Mapping[str, JSON]:
    if data.startswith(MARK):
        raise Refused(400, "body_unclear", f"the body begins with a byte order mark; {ALLOWED}", close=True)
    try:
        payload = parse(data, "body")
    except InvalidDocument as error:
        raise Refused(400, "body_unclear", f"{error}; {ALLOWED}", close=True) from None
    if not is_document(payload):
        raise Refused(400, "body_unclear", f"the body is no JSON object; {ALLOWED}", close=True)
    return payload


def _too_large(most: int) -> Refused:
    message = f"the body has more than {most} bytes, the most that is looked at for a token with limits"
    return Refused(413, "body_too_large", message, close=True)
