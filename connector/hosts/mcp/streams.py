"""The answer of one request over HTTP: JSON when nothing comes before it, else events and then the answer."""

from __future__ import annotations

import asyncio

from aiohttp import web

from connector.hosts.mcp.protocol import dump
from connector.model import JSON

__all__ = ["AnswerStream"]

PING = 15.0
"""Seconds of silence after which a stream shows that it is alive."""
EVENTS = "text/event-stream"
HEADERS = {"Cache-Control": "no-store, no-transform", "X-Accel-Buffering": "no", "X-Content-Type-Options": "nosniff"}


class AnswerStream:
    """Collects what a request tells its client until it is answered.

    Args:
        request: the one that is answered.
        headers: more of the response's headers.
        takes_events: whether the client reads events.
    """

    def __init__(self, request: web.BaseRequest, headers: dict[str, str], *, takes_events: bool) -> None:
        self._request = request
        self._headers = {**HEADERS, **headers}
        self._takes_events = takes_events
        self._messages: asyncio.Queue[JSON] = asyncio.Queue()
        self._response: web.StreamResponse | None = None

    def send(self, message: JSON) -> None:
        """Send a notification; a client that reads no events is not told."""
        if self._takes_events:
            self._messages.put_nowait(message)

    async def follow(self, work: asyncio.Task[tuple[int, JSON]]) -> web.StreamResponse:
        """Return the response: notifications as they come, and what the work returns: a status and a message."""
        while not work.done() or not self._messages.empty():
            message = await self._next(work)
            if message is not None:
                await self._write(b"event: message\ndata: " + dump(message) + b"\n\n")
            elif not work.done() and self._takes_events:
                await self._write(b": under way\n\n")
        status, answer = await work
        if self._response is None:
            body = dump(answer) if answer is not None else b""
            kind = {"Content-Type": "application/json"} if body else {}
            return web.Response(status=status, body=body, headers={**self._headers, **kind})
        if answer is not None:
            await self._write(b"event: message\ndata: " + dump(answer) + b"\n\n")
        await self._response.write_eof()
        return self._response

    async def _next(self, work: asyncio.Task[tuple[int, JSON]]) -> JSON:
        """Return the next notification; None when the work is done, or after a while."""
        if not self._messages.empty():
            return self._messages.get_nowait()
        waiting = asyncio.ensure_future(self._messages.get())
        try:
            await asyncio.wait({waiting, work}, timeout=PING, return_when=asyncio.FIRST_COMPLETED)
            return waiting.result() if waiting.done() else None
        finally:
            waiting.cancel()

    async def _write(self, data: bytes) -> None:
        if self._response is None:
            self._response = web.StreamResponse(headers={**self._headers, "Content-Type": EVENTS})
            await self._response.prepare(self._request)
        await self._response.write(data)
