"""Webhooks at the gateway's address: read within bounds, handed to whoever receives them, answered."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from aiohttp import web

from connector.gateway.bodies import received
from connector.gateway.refusals import Refused

__all__ = ["Hooks", "Receives"]


class Said(Protocol):
    """An answer."""

    @property
    def status(self) -> int: ...

    @property
    def said(self) -> str: ...


class Receives(Protocol):
    """What receives the webhooks that are sent to one path."""

    @property
    def most(self) -> int:
        """The most bytes that one may have."""
        ...

    async def __call__(self, headers: Mapping[str, str], body: bytes) -> Said:
        """What to answer; the names of headers are in lower case."""
        ...


class Hooks:
    """The paths that webhooks are sent to.

    Args:
        receivers: by path.
        idle: seconds without a byte of a body.
    """

    def __init__(self, receivers: Mapping[str, Receives], idle: float) -> None:
        self._receivers = receivers
        self._idle = idle

    async def answer(self, request: web.BaseRequest, path: str) -> web.Response | None:
        """The answer to a webhook; None when no webhooks are sent to this path."""
        receiver = self._receivers.get(path)
        if receiver is None:
            return None
        if request.method != "POST":
            raise Refused(405, "method_not_allowed", "webhooks are sent by POST", headers={"Allow": "POST"}, close=True)
        body = await received(request, receiver.most, self._idle)
        data = b"".join([chunk async for chunk in body.chunks()]) if body is not None else b""
        headers = {name.lower(): value for name, value in request.headers.items()}
        said = await receiver(headers, data)
        retry = {"Retry-After": "30"} if said.status >= 500 else {}
        return web.json_response({"message": said.said}, status=said.status, headers=retry)
