"""Receive webhooks at the gateway's address: read them within bounds, hand them to their receiver, and answer."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from typing import Protocol

from aiohttp import web

from connector.gateway.body_reader import read_body
from connector.gateway.refusals import NO_STORE, Refusal
from connector.model import JSON

__all__ = ["WebhookReceiver", "Webhooks"]


class WebhookAnswer(Protocol):
    """A receiver's answer."""

    @property
    def status(self) -> int: ...

    @property
    def said(self) -> str: ...

    @property
    def body(self) -> JSON: ...

    @property
    def retry_after(self) -> int: ...

    @property
    def challenge(self) -> str: ...


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

    def receives(self, path: str) -> bool:
        """Whether webhooks come to a path."""
        return path in self._receivers

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
        return _render(answer)


def _render(answer: WebhookAnswer) -> web.Response:
    """Return the answer: a refusal says what is wrong as a problem (RFC 9457), and when it is worth sending again."""
    headers = dict(NO_STORE)
    if answer.status < 400:
        body = {"message": answer.said} if answer.body is None else answer.body
        return web.json_response(body, status=answer.status, headers=headers)
    if answer.retry_after:
        headers["Retry-After"] = str(answer.retry_after)
    if answer.challenge:
        headers["WWW-Authenticate"] = answer.challenge
    title = HTTPStatus(answer.status).phrase
    problem = {"type": "about:blank", "title": title, "status": answer.status, "detail": answer.said}
    return web.json_response(problem, status=answer.status, headers=headers, content_type="application/problem+json")
