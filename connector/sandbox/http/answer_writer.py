"""Answers on the wire: their headers, whole bodies, streams, and those that break on the way."""

from __future__ import annotations

import asyncio
import socket
import struct
from collections.abc import AsyncIterable, AsyncIterator, Iterable, Mapping

import orjson
from aiohttp.web import BaseRequest, Response, StreamResponse

from connector.sandbox.faults import Fault
from connector.sandbox.messages import Answer, Event

__all__ = ["BREAKS", "build_html_page", "reset_connection", "send_answer"]

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
