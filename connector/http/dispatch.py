"""A call on its way to a transport, our own or any other of httpx."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from functools import lru_cache
from typing import Any

import httpx

from connector.http.call import Call
from connector.http.raw_response import Header, RawResponse
from connector.http.transports.base import IN_ONE_PIECE, Upload
from connector.request.multipart import MultipartBody
from connector.request.wire import Body, BytesBody

__all__ = ["send_call"]

NOTHING = httpx.ByteStream(b"")


async def send_call(transport: httpx.AsyncBaseTransport, call: Call, headers: Sequence[Header]) -> RawResponse:
    """Send a call: through our own transport without httpx's objects around it, or through any other.

    Args:
        transport: what takes the request.
        call: what is sent.
        headers: all but those that frame the body.
    """
    exchange = getattr(transport, "exchange", None)
    if exchange is None:
        return await _send_by_httpx(transport, call, headers)
    answer = await exchange(
        call.wire.method,
        _parse(call.address),
        [*headers, *_build_framing(call)],
        _build_upload(call),
        call.timeouts,
        call.start_progress(),
    )
    return RawResponse(answer.status, answer.headers, answer, answer.take_whole)


@lru_cache(maxsize=512)
def _parse(address: str) -> Any:
    from yarl import URL

    return URL(address, encoded=True)


def _build_upload(call: Call) -> Upload | bytes | None:
    """Return the body as our own transport takes it."""
    body, idle = call.wire.body, call.timeouts["write"]
    if isinstance(body, BytesBody):
        return body.data if len(body.data) <= IN_ONE_PIECE else Upload(body.data, idle)
    if body is None:
        return None
    return Upload(body.chunks(), idle, body.chunks if isinstance(body, MultipartBody) else None)


def _build_framing(call: Call) -> list[Header]:
    """Return the length of the body where it is known before; any other is cut into chunks by whoever sends it."""
    body = call.wire.body
    if body is None:
        return [("content-length", "0")] if call.wire.method in ("POST", "PUT", "PATCH") else []
    length = len(body.data) if isinstance(body, BytesBody) else body.length
    return [] if length is None else [("content-length", str(length))]


async def _send_by_httpx(transport: httpx.AsyncBaseTransport, call: Call, headers: Sequence[Header]) -> RawResponse:
    body, framing = call.wire.body, _build_framing(call)
    if body is not None and not framing:
        framing = [("transfer-encoding", "chunked")]
    request = httpx.Request(
        call.wire.method,
        call.url,
        headers=[(name.encode("ascii"), value.encode()) for name, value in (*headers, *framing)],
        stream=_build_stream(body),
        extensions={"timeout": call.timeouts, "progress": call.start_progress()},
    )
    response = await transport.handle_async_request(request)
    stream: Any = response.stream
    if not isinstance(stream, httpx.AsyncByteStream):
        raise TypeError("a transport for asynchronous calls must give asynchronous streams")
    return RawResponse(response.status_code, response.headers.raw, stream)


class _BodyStream(httpx.AsyncByteStream):
    """A body that is read while it is sent."""

    def __init__(self, body: Body) -> None:
        self._body = body

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self._body.chunks()

    @property
    def is_repeatable(self) -> bool:
        """Whether it begins from its start when it is read again; what a caller of a gateway sends comes once."""
        return isinstance(self._body, MultipartBody)


def _build_stream(body: Body | None) -> httpx.AsyncByteStream:
    """Return the body as httpx takes it."""
    if body is None:
        return NOTHING
    return httpx.ByteStream(body.data) if isinstance(body, BytesBody) else _BodyStream(body)
