"""Receive webhooks at the gateway's address: read them within bounds, hand them to their receiver, and answer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from aiohttp import web

from connector.gateway.body_reader import read_body
from connector.gateway.refusals import Refusal

__all__ = ["WebhookReceiver", "Webhooks"]


class WebhookAnswer(Protocol):
    """A receiver's answer."""

    @property
    def status(self) -> int: ...

    @property
    def said(self) -> str: ...


class WebhookReceiver(Protocol):
    """What receives the webhooks of one path."""

    @property
    def most(self) -> int:
        """The most bytes that one may have."""
        ...

    async def __call__(self, headers: Mapping[str, str], body: bytes) -> WebhookAnswer:
        """Return the answer; the names of headers are in lower case."""
        ...


class Webhooks:
    """The paths that receive webhooks.

    Args:
        receivers: by path.
        idle: seconds for the next 16 KB of a body.
    """

    def __init__(self, receivers: Mapping[str, WebhookReceiver], idle: float) -> None:
        self._receivers = receivers
        self._idle = idle

    async def answer(self, request: web.BaseRequest, path: str) -> web.Response | None:
        """Return the answer to a webhook, or None when the path receives none."""
        receiver = self._receivers.get(path)
        if receiver is None:
            return None
        if request.method != "POST":
            raise Refusal(405, "method_not_allowed", "webhooks are sent by POST", headers={"Allow": "POST"}, close=True)
        body = await read_body(request, receiver.most, self._idle)
        data = b"".join([chunk async for chunk in body.chunks()]) if body is not None else b""
        headers = {name.lower(): value for name, value in request.headers.items()}
        answer = await receiver(headers, data)
        retry = {"Retry-After": "30"} if answer.status >= 500 else {}
        return web.json_response({"message": answer.said}, status=answer.status, headers=retry)
