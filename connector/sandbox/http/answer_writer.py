"""Answers on the wire: their headers, whole bodies, streams, and those that break on the way."""

from __future__ import annotations

import asyncio
import socket
import struct
import time
from collections.abc import AsyncIterable, AsyncIterator, Callable, Iterable, Mapping
from hashlib import blake2b
from typing import Final

import orjson
from aiohttp.web import BaseRequest, Response, StreamResponse

from connector.model import JSON, is_document
from connector.sandbox.faults import Fault
from connector.sandbox.messages import Answer, Event

__all__ = ["BREAKS", "AnswerHeaders", "build_html_page", "reset_connection", "send_answer"]

API_VERSION: Final = "2020-10-01"
MOST_REQUESTS: Final = 1_000_000
MOST_TOKENS: Final = 1_000_000_000
"""High enough that no client waits for a sandbox on their account."""
WINDOW: Final = 60.0


class AnswerHeaders:
    """Builds the headers of answers, and counts what is left of a minute's requests and tokens."""

    def __init__(self, clock: Callable[[], float], seed: int) -> None:
        self._clock = clock
        self._seed = seed
        self._answers = 0
        self._window_end = 0.0
        self._requests = 0
        self._tokens = 0

    def reset(self) -> None:
        """Start the request ids again."""
        self._answers = 0

    def build(self, answer: Answer, began: float) -> Mapping[str, str]:
        """Return the headers of an answer to a request that began at a moment of the performance counter."""
        self._answers += 1
        name = blake2b(f"{self._seed}/{self._answers}".encode(), digest_size=16).hexdigest()
        return {
            "x-request-id": f"req_{name}",
            "openai-processing-ms": str(int((time.perf_counter() - began) * 1000)),
            "openai-version": API_VERSION,
            "openai-organization": "org-sandbox",
            **self._count_request(answer.body),
            **answer.headers,
        }

    def _count_request(self, body: JSON) -> dict[str, str]:
        """Count one more request and the tokens that its answer used, and return the rate-limit headers."""
        now = self._clock()
        if not 0 < self._window_end - now <= WINDOW:
            self._window_end, self._requests, self._tokens = now + WINDOW, 0, 0
        self._requests += 1
        self._tokens += _count_used_tokens(body)
        reset = f"{self._window_end - now:.3f}s"
        return {
            "x-ratelimit-limit-requests": str(MOST_REQUESTS),
            "x-ratelimit-limit-tokens": str(MOST_TOKENS),
            "x-ratelimit-remaining-requests": str(max(0, MOST_REQUESTS - self._requests)),
            "x-ratelimit-remaining-tokens": str(max(0, MOST_TOKENS - self._tokens)),
            "x-ratelimit-reset-requests": reset,
            "x-ratelimit-reset-tokens": reset,
        }


def _count_used_tokens(body: JSON) -> int:
    usage = body.get("usage") if is_document(body) else None
    total = usage.get("total_tokens") if is_document(usage) else None
    return total if isinstance(total, int) else 0


Events = Iterable[Event] | AsyncIterable[Event]
BREAKS = ("cut", "reset-mid", "error-mid")
HTML_PAGE = (
    "<!DOCTYPE html><html><head><title>Sign in</title></head><body><h1>Sign in to this network</h1></body></html>"
)
FAILED_EVENT = {"error": {"message": "The server had an error.", "type": "server_error", "param": None, "code": None}}


def encode_body(answer: Answer) -> bytes:
    """Return the bytes of an answer that is not a stream."""
    return orjson.dumps(answer.body, option=orjson.OPT_NON_STR_KEYS) if answer.data is None else answer.data


def build_html_page(status: int) -> Answer:
    """Return an HTML page as a proxy or a hotel's network sends it."""
    return Answer(status=status, data=HTML_PAGE.encode(), content_type="text/html; charset=utf-8")


async def send_answer(
    request: BaseRequest, answer: Answer, headers: Mapping[str, str], broken: Fault | None
) -> StreamResponse:
    """Send an answer, or the part of it that a fault lets through."""
    if answer.events is not None:
        return await _send_stream(request, answer.events, {**headers, "Content-Type": "text/event-stream"}, broken)
    data = encode_body(answer)
    all_headers = {**headers, "Content-Type": answer.content_type}
    if broken is None or broken.kind == "error-mid":
        return Response(body=data, status=answer.status, headers=all_headers)
    return await _send_half(request, answer.status, data, all_headers, broken)


def reset_connection(request: BaseRequest) -> StreamResponse:
    """Reset the connection; the returned response is never sent."""
    transport = request.transport
    if transport is not None:
        found = transport.get_extra_info("socket")
        if found is not None:
            # No waiting for what is unsent: the other side sees a reset, not an end.
            found.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        transport.abort()
    return Response()


async def _send_half(
    request: BaseRequest, status: int, data: bytes, headers: Mapping[str, str], broken: Fault
) -> StreamResponse:
    """Send the head and half of the body."""
    response = StreamResponse(status=status, headers=headers)
    response.content_length = max(2, len(data))
    await response.prepare(request)
    await response.write(data[: len(data) // 2] or b" ")
    return await _break_connection(request, response, broken)


async def _send_stream(
    request: BaseRequest,
    events: Events,
    headers: Mapping[str, str],
    broken: Fault | None,
) -> StreamResponse:
    response = StreamResponse(headers={**headers, "Cache-Control": "no-cache"})
    ready = None if broken is None else [_encode_event(event) async for event in _iterate(events)]
    await response.prepare(request)
    if ready is None:
        async for event in _iterate(events):
            await response.write(_encode_event(event))
    else:
        for line in ready[: len(ready) // 2]:
            await response.write(line)
        if broken is not None and broken.kind != "error-mid":
            return await _break_connection(request, response, broken)
        await response.write(_encode_event(Event(FAILED_EVENT)))
    await response.write_eof()
    return response


async def _break_connection(request: BaseRequest, response: StreamResponse, broken: Fault) -> StreamResponse:
    """End the connection before the answer is complete."""
    # What was written must be on its way, or the reset would overtake it.
    await asyncio.sleep(0.01)
    if broken.kind == "reset-mid":
        reset_connection(request)
    elif request.transport is not None:
        request.transport.close()
    return response


async def _iterate(events: Events) -> AsyncIterator[Event]:
    if isinstance(events, AsyncIterable):
        async for event in events:
            yield event
    else:
        for event in events:
            yield event


def _encode_event(event: Event) -> bytes:
    data = event.data.encode() if isinstance(event.data, str) else orjson.dumps(event.data)
    return b"event: %b\ndata: %b\n\n" % (event.name.encode(), data) if event.name else b"data: %b\n\n" % data
