"""The connection of a caller: bounded in number, headers and time; what is malformed is not echoed."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Protocol, TypedDict, cast

from aiohttp import web

from connector.gateway.access_log import LOG
from connector.gateway.connection_limits import ConnectionLimits, Slot
from connector.gateway.pages import HEALTH_PAGES
from connector.gateway.refusals import JSON_TYPE, Refusal, render_refusal
from connector.gateway.request_frame import is_one_request
from connector.stalled_readers import StalledReaders

__all__ = ["Connection", "ConnectionServer", "Timeouts"]


class ParserSettings(TypedDict):
    """How requests are read, in aiohttp's words."""

    max_line_size: int
    max_field_size: int
    max_headers: int
    auto_decompress: bool


MAX_LINE = 8190
MAX_HEADERS = 100
MAX_HEAD = 64 * 1024
"""All headers of a request together."""
READ_BUFFER = 256 * 1024
PARSING: ParserSettings = {
    "max_line_size": MAX_LINE,
    "max_field_size": MAX_LINE,
    "max_headers": MAX_HEADERS,
    "auto_decompress": False,
}
MAX_PIPELINED = 4
"""Requests of one connection that wait while one is answered; more stay in the network."""

BUSY = Refusal(
    503,
    "too_many_connections",
    "every connection is taken (gateway.connections, gateway.connections_per_address); come back in a moment",
    headers={"Retry-After": "1"},
)
HEAD_TOO_LARGE = Refusal(431, "head_too_large", f"the request's head has more than {MAX_HEAD} bytes")
MALFORMED = "the request is not well-formed HTTP/1.1: check lengths, line ends and header names"


class DirectCall(Protocol):
    """A call that is under way without a task; `end_direct` of its connection ends it."""

    def abandon(self) -> None:
        """End the call, whose caller has left."""
        ...


@dataclass(frozen=True, slots=True)
class Timeouts:
    """Seconds that the gateway waits for its callers."""

    head: float = 10.0
    """For the head of a request, from its first byte to its last."""
    idle: float = 60.0
    """For the next 16 KB of a body, or its end, whether the caller sends or reads it."""
    keep_alive: float = 75.0
    """Between two requests of a connection."""
    extra: float = 1.0
    """For the head of a request on a connection that only a health page may use, since all others are taken."""
    linger: float = 2.0
    """The time for the rest of an unread body, so that the caller reads the refusal before the connection ends."""


class Connection(web.RequestHandler):
    """aiohttp's handler of a connection, with a time-out for the head of each request and for what is not read.

    Args:
        server: the one that it belongs to.
        address: where it comes from.
        cancel_handshake: ends a TLS handshake that is not done.
        settings: aiohttp's own.
    """

    __slots__ = (
        "_cancel_handshake", "_direct", "_head_bytes", "_heads", "_held", "_is_between_requests", "_server", "_timer",
        "_wire", "parsing", "slot",
    )  # fmt: skip

    def __init__(
        self, server: ConnectionServer, address: str, cancel_handshake: Callable[[], object], **settings: Any
    ) -> None:
        super().__init__(server, **settings)
        self._max_msg_queue_size = MAX_PIPELINED
        self._msg_queue_resume_size = MAX_PIPELINED // 2
        self._server = server
        self._timer: asyncio.TimerHandle | None = None
        self._heads = 0
        self._head_bytes = 0
        self._wire: asyncio.Transport | None = None
        self._direct: DirectCall | None = None
        self._held = b""
        """What has come while a direct call is under way."""
        self._is_between_requests = True
        """Whether aiohttp's parser has certainly seen whole requests only."""
        self.parsing = PARSING
        self._cancel_handshake = cancel_handshake
        self.slot: Slot = server.limits.acquire(address, self._evict)
        if self.slot.is_extra:
            self._request_handler = server.answer_extra

    def _evict(self) -> None:
        if self._wire is None:
            self._cancel_handshake()
        else:
            self._wire.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        self._wire = cast("asyncio.Transport", transport)
        self._server.readers.watch(self._wire)
        self._start_timer()

    def connection_lost(self, exc: BaseException | None) -> None:
        self._stop_timer()
        self.slot.release()
        direct, self._direct = self._direct, None
        if direct is not None:
            direct.abandon()
        if self._wire is not None:
            self._server.readers.forget(self._wire)
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if self._direct is not None:
            self._hold(data)
        elif not self._begins_direct(data):
            self._receive(data)

    def _begins_direct(self, data: bytes) -> bool:
        """Begin the call of a whole request that needs no task, and return whether there was one."""
        begin = self._server.begin_direct
        if not self._is_between_requests or begin is None or not data:
            return False
        if self._is_idle:
            self._direct = begin(self, data)
            if self._direct is not None:
                self._stop_timer()
                return True
        self._is_between_requests = is_one_request(data)
        return False

    @property
    def _is_idle(self) -> bool:
        """Whether the next request may begin at once."""
        waiter = self._waiter
        is_waiting = waiter is not None and not waiter.done() and not self._messages and not self.writing_paused
        return is_waiting and not (self._close or self._force_close or self.slot.is_extra)

    def _hold(self, data: bytes) -> None:
        """Keep what comes while a direct call is under way; much of it stays in the network."""
        self._held += data
        if len(self._held) >= READ_BUFFER and self._wire is not None:
            self._wire.pause_reading()

    def end_direct(self, *, may_go_on: bool) -> None:
        """Go on with the next request, now that a direct call has ended."""
        self._direct = None
        if not may_go_on:
            self.force_close()
            return
        self._next_keepalive_close_time = self._loop.time() + self._keepalive_timeout
        held, self._held = self._held, b""
        if held:
            if self._wire is not None:
                self._wire.resume_reading()
            self.data_received(held)

    def _process_keepalive(self) -> None:
        if self._direct is not None:
            self._next_keepalive_close_time = self._loop.time() + self._keepalive_timeout
        super()._process_keepalive()

    def _receive(self, data: bytes) -> None:
        super().data_received(data)
        if self._request_count != self._heads:
            self._heads = self._request_count
            self._head_bytes = 0
            self._stop_timer()
        elif not data:
            return
        elif self._is_in_head:
            self._count_head(len(data))
        elif self._is_in_later_request:
            self._head_bytes += len(data)
            if self._head_bytes > MAX_HEAD + READ_BUFFER and self._wire is not None:
                self._wire.abort()

    @property
    def _is_in_head(self) -> bool:
        """Whether data belongs to no request yet; a body may come before its request is handled."""
        waiter = self._waiter
        return waiter is not None and not waiter.done() and not self._messages

    @property
    def _is_in_later_request(self) -> bool:
        """Whether data belongs to a later request than the one that is answered."""
        request = self._current_request
        return request is not None and request.content.is_eof()

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,  # noqa: ARG002  it holds what was sent, which may be a secret
    ) -> web.StreamResponse:
        """Answer what is no request, or a fault of the gateway, without showing what was sent."""
        if request.writer.output_size > 0:
            raise ConnectionError("the answer has begun: no other can follow on this connection")
        if status >= 500:
            LOG.error("a call ended in a fault of the gateway: %s", type(exc).__name__)
            return render_refusal(Refusal(500, "internal_error", "the gateway failed; its log says more", close=True))
        LOG.info("refused a malformed request: %s", type(exc).__name__)
        return render_refusal(Refusal(400, "malformed_request", MALFORMED, close=True))

    def _count_head(self, size: int) -> None:
        """Take note of a part of a head."""
        self._head_bytes += size
        if self._head_bytes > MAX_HEAD:
            self._refuse(HEAD_TOO_LARGE)
        elif self._timer is None:
            self._start_timer()

    def _start_timer(self) -> None:
        timeouts = self._server.timeouts
        self._timer = self._loop.call_later(timeouts.extra if self.slot.is_extra else timeouts.head, self._time_out)

    def _time_out(self) -> None:
        self._timer = None
        if self.slot.is_extra:
            self._refuse(BUSY)
            return
        seconds = self._server.timeouts.head
        self._refuse(Refusal(408, "head_time_out", f"the request's head took more than {seconds:g} s"))

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _refuse(self, refusal: Refusal) -> None:
        """Refuse, and close the connection."""
        if self.transport is not None and not self.transport.is_closing():
            self.transport.write(_render_plain(refusal))
        self.force_close()


class ConnectionServer(web.Server):
    """Make a handler for each connection.

    Args:
        handle: answers a request.
        connections: connections at a time.
        per_address: connections of one address at a time.
        timeouts: how long callers may take.
    """

    def __init__(
        self,
        handle: Callable[[web.BaseRequest], Awaitable[web.StreamResponse]],
        *,
        connections: int,
        per_address: int,
        timeouts: Timeouts,
    ) -> None:
        super().__init__(handle, handler_cancellation=True)
        self._handle = handle
        self.begin_direct: Callable[[Connection, bytes], DirectCall | None] | None = None
        """Begins the call of a whole request that needs no task; None when it does."""
        self.limits = ConnectionLimits(connections, per_address)
        self.timeouts = timeouts
        self.readers = StalledReaders(timeouts.idle)

    async def answer_extra(self, request: web.BaseRequest) -> web.StreamResponse:
        """Answer a request on a connection beyond the limits: only health pages are served."""
        response = await self._handle(request) if request.path in HEALTH_PAGES else render_refusal(BUSY)
        response.force_close()
        return response

    def connect(self, address: str, cancel_handshake: Callable[[], object]) -> Connection:
        """Return the handler of a connection that comes from an address."""
        return Connection(
            self,
            address,
            cancel_handshake,
            loop=asyncio.get_running_loop(),
            logger=LOG,
            access_log=None,
            keepalive_timeout=self.timeouts.keep_alive,
            lingering_time=self.timeouts.linger,
            read_bufsize=READ_BUFFER,
            **PARSING,
        )


def _render_plain(refusal: Refusal) -> bytes:
    """Return a response for a connection on which no request was understood."""
    body = refusal.body()
    head = f"HTTP/1.1 {refusal.status} \r\nContent-Type: {JSON_TYPE}\r\nContent-Length: {len(body)}\r\n"
    return f"{head}Cache-Control: no-store\r\nConnection: close\r\n\r\n".encode() + body
