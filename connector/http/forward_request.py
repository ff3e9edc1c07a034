"""Somebody else's request, with the client's address and credentials in place of the caller's."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, unquote_plus

import httpx

from connector.catalogue.operation import Operation
from connector.http.call import Call
from connector.http.transports.base import Upload
from connector.model import JSON, Effect
from connector.request.wire import Body, BytesBody, Wire

__all__ = ["ForwardRequest", "RawResponse", "SendRequest", "join_headers", "join_target", "make_sender"]

IN_ONE_PIECE = 64 * 1024
NEVER_FORWARDED = frozenset({
    "authorization", "proxy-authorization", "openai-organization", "openai-project", "api-key", "x-api-key",
    "x-goog-api-key", "cookie", "host", "content-length", "transfer-encoding", "expect",
})  # fmt: skip
"""Headers that say who calls, or frame the body: ours to give."""
EFFECTS = {"GET": Effect.NONE, "HEAD": Effect.NONE, "OPTIONS": Effect.NONE, "DELETE": Effect.IDEMPOTENT}


@dataclass(slots=True, kw_only=True)
class ForwardRequest:
    """A request to forward: path, query and body are the caller's, credentials are not."""

    method: str
    path: str
    """Encoded, relative to the client's base URI."""
    query: str = ""
    """As it came."""
    headers: Sequence[tuple[str, str]] = ()
    """The caller's own; the client's of the same name take their place."""
    body: Body | None = None
    operation: Operation | None = None
    payload: JSON = None
    """What is known of the body, for addresses that depend on it."""

    def build_wire(self) -> Wire:
        """Return the call, without a query of its own."""
        operation = self.operation
        effect = operation.effect if operation is not None else EFFECTS.get(self.method, Effect.OPAQUE)
        return Wire(method=self.method, path=self.path, body=self.body, operation=operation, effect=effect)


@dataclass(slots=True)
class RawResponse:
    """A response whose headers are there."""

    status: int
    headers: list[tuple[bytes, bytes]]
    stream: httpx.AsyncByteStream
    take_whole: Callable[[], bytes | None] = lambda: None
    """Takes the whole body when it is there already; None when it is not."""


SendRequest = Callable[[Call], Awaitable[RawResponse]]


def join_target(placed: Wire, query: str) -> str:
    """Return path and query as they came, with what the address adds; of two parameters of one name ours goes out."""
    if not placed.query:
        return f"{placed.path}?{query}" if query else placed.path
    names = {name for name, _ in placed.query}
    own = (f"{quote(name, safe='')}={quote(value, safe='')}" for name, value in placed.query)
    rest = (part for part in query.split("&") if part and unquote_plus(part.partition("=")[0]) not in names)
    return f"{placed.path}?{'&'.join((*own, *rest))}"


def join_headers(headers: Iterable[tuple[str, str]], ours: Mapping[str, str]) -> list[tuple[str, str]]:
    """Return the caller's headers that go out, and the client's in the place of those of the same name."""
    lead = [
        (name, value) for name, value in headers if (key := name.lower()) not in NEVER_FORWARDED and key not in ours
    ]
    lead += ours.items()
    return lead


def make_sender(
    transport: httpx.AsyncBaseTransport, address: str, headers: Iterable[tuple[str, str]], ours: Mapping[str, str]
) -> SendRequest:
    """Return how a call goes out: through our own transport without httpx's objects around it, or through any other."""
    lead = join_headers(headers, ours)
    exchange = getattr(transport, "exchange", None)
    if exchange is None:
        return lambda call: _send_by_httpx(transport, call, lead)
    return lambda call: _send_by_aiohttp(exchange, address, call, lead)


async def _send_by_aiohttp(exchange: Any, address: str, call: Call, lead: list[tuple[str, str]]) -> RawResponse:
    from yarl import URL

    body, timeouts = call.wire.body, call.timeouts
    data: Upload | bytes | None = None
    if isinstance(body, BytesBody):
        data = body.data if len(body.data) <= IN_ONE_PIECE else Upload(body.data, timeouts["write"])
    elif body is not None:
        data = Upload(body.chunks(), timeouts["write"])
    answer = await exchange(
        call.wire.method,
        URL(address, encoded=True),
        [*lead, *_build_framing(call)],
        data,
        timeouts,
        call.start_progress(),
    )
    return RawResponse(answer.status, answer.headers, answer, answer.take_whole)


async def _send_by_httpx(transport: httpx.AsyncBaseTransport, call: Call, lead: list[tuple[str, str]]) -> RawResponse:
    headers = [(b"host", call.url.netloc), *((name.encode("ascii"), value.encode()) for name, value in lead)]
    response = await transport.handle_async_request(call.build_request(headers))
    stream: Any = response.stream
    return RawResponse(response.status_code, response.headers.raw, stream)


def _build_framing(call: Call) -> list[tuple[str, str]]:
    """Return the length of the body where it is known before; aiohttp cuts any other into chunks."""
    body = call.wire.body
    if body is None:
        return [("Content-Length", "0")] if call.wire.method in ("POST", "PUT", "PATCH") else []
    length = len(body.data) if isinstance(body, BytesBody) else body.length
    return [] if length is None else [("Content-Length", str(length))]
