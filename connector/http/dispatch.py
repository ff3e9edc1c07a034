"""A call on its way to a transport, our own or any other of httpx."""

from __future__ import annotations

import asyncio
import math
import re
from collections.abc import AsyncIterator, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import httpx

from connector.http.call import Call
from connector.http.raw_response import Header, RawResponse
from connector.http.transports.base import IN_ONE_PIECE, Upload
from connector.request.multipart import MultipartBody
from connector.request.wire import Body, BytesBody

if TYPE_CHECKING:
    from connector.http.transports.direct_exchange import DirectExchange, PlainAnswer

__all__ = ["NOTHING", "DirectCall", "begin_direct", "send_call"]

NOTHING = httpx.ByteStream(b"")
UNSAFE = re.compile("[\r\n\0]")


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


class DirectCall:
    """A call that was written to an open connection at once; its answer comes without a task of its own."""

    def __init__(self, transport: Any) -> None:
        self._transport = transport
        self._answer: asyncio.Future[PlainAnswer | None] = asyncio.get_running_loop().create_future()
        self.exchange: DirectExchange

    def finish(self, answer: PlainAnswer | None = None) -> None:
        """Take a plain answer; None when the answer is to be read as every other."""
        if not self._answer.done():
            self._answer.set_result(answer)

    async def wait(self) -> PlainAnswer | None:
        """Return the whole answer, or None when `resume` has to read it."""
        try:
            return await self._answer
        except BaseException:
            # A connection whose answer was taken may be another call's by now.
            if self._answer.cancelled() or self._answer.result() is None:
                self.exchange.abandon()
            raise

    async def resume(self) -> RawResponse:
        """Return the response as soon as its headers are there."""
        answer = await self._transport.resume(self.exchange)
        return RawResponse(answer.status, answer.headers, answer, answer.take_whole)


def begin_direct(transport: Any, call: Call) -> DirectCall | None:
    """Send a call over an idle connection of our own transport; None when that cannot be, and nothing was sent."""
    begin, body, method = getattr(transport, "begin", None), call.wire.body, call.wire.method
    if begin is None or method == "HEAD" or not (body is None or isinstance(body, BytesBody)):
        return None
    data = b"" if body is None else body.data
    head = _encode_head(method, call.address, tuple(call.headers))
    if len(data) > IN_ONE_PIECE or not head:
        return None
    framing = b"content-length: %d\r\n" % len(data) if data or method in ("POST", "PUT", "PATCH") else b""
    made = DirectCall(transport)
    seconds = {"read": call.timeouts["read"], "total": math.inf}
    exchange = begin(_parse(call.address), b"%b%b\r\n%b" % (head, framing, data), seconds, made.finish, made.finish)
    if exchange is None:
        return None
    made.exchange = exchange
    call.progress = exchange.progress
    return made


@lru_cache(maxsize=256)
def _encode_head(method: str, address: str, headers: tuple[Header, ...]) -> bytes:
    """Return what a request begins with, up to the length of its body; empty where a header may not be written."""
    if any(UNSAFE.search(name) or UNSAFE.search(value) for name, value in headers):
        return b""
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers)
    return f"{method} {_parse(address).raw_path_qs} HTTP/1.1\r\n{lines}".encode()


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
