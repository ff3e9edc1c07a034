"""One connection of a caller: bounded in number, in headers and in patience; what is malformed is not echoed."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, cast

from aiohttp import web

from connector.gateway.journal import LOG
from connector.gateway.pages import OPEN
from connector.gateway.patience import Patience
from connector.gateway.refusals import JSON_TYPE, Refused, refusal
from connector.gateway.seats import Seat, Seats
from connector.stalled_readers import StalledReaders

__all__ = ["Connection", "Server"]

LONGEST_LINE = 8190
MOST_HEADERS = 100
HEAD_BYTES = 64 * 1024
"""All headers of a request together."""
READ_BYTES = 256 * 1024
MOST_PIPELINED = 4
"""Requests of one connection that wait while one is answered; the rest stays in the network."""

BUSY = Refused(
    503,
    "too_many_connections",
    "every connection is taken (gateway.connections, gateway.connections_per_address); come back in a moment",
    headers={"Retry-After": "1"},
)
LARGE = Refused(431, "head_too_large", f"the request's head has more than {HEAD_BYTES} bytes")
MALFORMED = "the request is not well-formed HTTP/1.1: check lengths, line ends and header names"


class Connection(web.RequestHandler):
    """aiohttp's handler of a connection, with a clock on the head of each request and on what is not read.

    Args:
        server: the one that it belongs to.
        address: where it comes from.
        give_up: ends a TLS handshake that is not done.
        settings: aiohttp's own.
    """

    __slots__ = ("_clock", "_give_up", "_head_bytes", "_heads", "_server", "_wire", "seat")

    def __init__(self, server: Server, address: str, give_up: Callable[[], object], **settings: Any) -> None:
        super().__init__(server, **settings)
        self._max_msg_queue_size = MOST_PIPELINED
        self._msg_queue_resume_size = MOST_PIPELINED // 2
        self._server = server
        self._clock: asyncio.TimerHandle | None = None
        self._heads = 0
        self._head_bytes = 0
        self._wire: asyncio.Transport | None = None
        self._give_up = give_up
        self.seat: Seat = server.seats.take(address, self._evict)
        if self.seat.extra:
            self._request_handler = server.answer_extra

    def _evict(self) -> None:
        if self._wire is None:
            self._give_up()
        else:
            self._wire.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        self._wire = cast("asyncio.Transport", transport)
        self._server.readers.watch(self._wire)
        self._start_clock()

    def connection_lost(self, exc: BaseException | None) -> None:
        self._stop_clock()
        self.seat.leave()
        if self._wire is not None:
            self._server.readers.forget(self._wire)
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if self._request_count != self._heads:
            self._heads = self._request_count
            self._head_bytes = 0
            self._stop_clock()
        elif not data:
            return
        elif self._waits_for_a_head:
            self._head_goes_on(len(data))
        elif self._answers_a_whole_request:
            self._head_bytes += len(data)
            if self._head_bytes > HEAD_BYTES + READ_BYTES and self._wire is not None:
                self._wire.abort()

    @property
    def _waits_for_a_head(self) -> bool:
        """Whether what comes belongs to no request yet; between its head and its handler the body may come already."""
        waiter = self._waiter
        return waiter is not None and not waiter.done() and not self._messages

    @property
    def _answers_a_whole_request(self) -> bool:
        """Whether what comes is of a later request than the one that is answered."""
        request = self._current_request
        return request is not None and request.content.is_eof()

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,  # noqa: ARG002  it holds what was sent, which may be a secret
    ) -> web.StreamResponse:
        """The answer to what is no request, or to a fault of ours; neither shows what was sent."""
        if request.writer.output_size > 0:
            raise ConnectionError("the answer has begun: no other can follow on this connection")
        if status >= 500:
            LOG.error("a call ended in a fault of the gateway: %s", type(exc).__name__)
            return refusal(Refused(500, "internal_error", "the gateway failed; its log says more", close=True))
        LOG.info("refused a malformed request: %s", type(exc).__name__)
        return refusal(Refused(400, "malformed_request", MALFORMED, close=True))

    def _head_goes_on(self, size: int) -> None:
        """A head came in part only."""
        self._head_bytes += size
        if self._head_bytes > HEAD_BYTES:
            self._end(LARGE)
        elif self._clock is None:
            self._start_clock()

    def _start_clock(self) -> None:
        patience = self._server.patience
        self._clock = self._loop.call_later(patience.extra if self.seat.extra else patience.head, self._too_slow)

    def _too_slow(self) -> None:
        self._clock = None
        if self.seat.extra:
            self._end(BUSY)
            return
        seconds = self._server.patience.head
        self._end(Refused(408, "head_too_slow", f"the request's head took more than {seconds:g} s"))

    def _stop_clock(self) -> None:
        if self._clock is not None:
            self._clock.cancel()
            self._clock = None

    def _end(self, refused: Refused) -> None:
        """A last word, and no more of this connection."""
        if self.transport is not None and not self.transport.is_closing():
            self.transport.write(_plain(refused))
        self.force_close()


class Server(web.Server):
    """Makes a handler for each connection.

    Args:
        handle: answers a request.
        most: connections at a time.
        most_of_one: connections of one address at a time.
        patience: how long a caller may take.
    """

    def __init__(
        self,
        handle: Callable[[web.BaseRequest], Awaitable[web.StreamResponse]],
        *,
        most: int,
        most_of_one: int,
        patience: Patience,
    ) -> None:
        super().__init__(handle, handler_cancellation=True)
        self._answered = handle
        self.seats = Seats(most, most_of_one)
        self.patience = patience
        self.readers = StalledReaders(patience.still)

    async def answer_extra(self, request: web.BaseRequest) -> web.StreamResponse:
        """The answer to a request on a connection beyond the bounds: only a health page is one."""
        answer = await self._answered(request) if request.path in OPEN else refusal(BUSY)
        answer.force_close()
        return answer

    def handler(self, address: str, give_up: Callable[[], object]) -> Connection:
        """The handler of a connection that comes from an address."""
        return Connection(
            self,
            address,
            give_up,
            loop=asyncio.get_running_loop(),
            logger=LOG,
            access_log=None,
            keepalive_timeout=self.patience.idle,
            lingering_time=self.patience.linger,
            max_line_size=LONGEST_LINE,
            max_field_size=LONGEST_LINE,
            max_headers=MOST_HEADERS,
            read_bufsize=READ_BYTES,
            auto_decompress=False,
        )


def _plain(refused: Refused) -> bytes:
    """An answer for a connection on which no request was understood."""
    body = refused.body()
    head = f"HTTP/1.1 {refused.status} \r\nContent-Type: {JSON_TYPE}\r\nContent-Length: {len(body)}\r\n"
    return f"{head}Cache-Control: no-store\r\nConnection: close\r\n\r\n".encode() + body
