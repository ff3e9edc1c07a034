"""One request over an open connection and its whole answer, in callbacks: no task waits for either."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from typing import cast

from aiohttp import SocketTimeoutError
from aiohttp.client_proto import ResponseHandler
from aiohttp.connector import Connection

from connector.http.transports.aiohttp_connection import Exchange, ParserOptions
from connector.http.transports.base import Progress

__all__ = ["DirectExchange", "PlainAnswer"]

PLAIN = re.compile(rb"HTTP/1\.1 (2\d\d) [ -~]*((?:\r\n[!#$%&'*+.^_`|~0-9A-Za-z-]+: [\t -~]*)+)\r\n\r\n", re.DOTALL)
"""The head of an answer that every reader takes for the same."""
FRAMED = re.compile(
    rb"\r\n(?:content-length: (\d{1,8})(?=\r)"
    rb"|(content-length|transfer-encoding|content-encoding|connection:(?! *keep-alive\r)|upgrade|trailer))",
    re.IGNORECASE,
)
WITHOUT_BODY = (204, 205)
MOST = 64 * 1024
"""The largest answer that is waited for; a larger one is passed on while it comes."""


class PlainAnswer:
    """A success that is all there.

    Attributes:
        lines: its headers, each with a line end before it.
    """

    __slots__ = ("body", "lines", "status")

    def __init__(self, status: int, lines: bytes, body: bytes) -> None:
        self.status = status
        self.lines = lines
        self.body = body


class DirectExchange(asyncio.Protocol):
    """Takes the place of aiohttp's protocol on a connection until its answer is there, or turns out not to be plain.

    Args:
        conn: a connection of the pool.
        exchange: knows how far the request got.
        progress: the same, for whoever judges a failure.
        parsing: how aiohttp reads answers.
        read: seconds that the server may be silent.
        done: takes the answer.
        handed_over: is called when aiohttp reads the answer instead.
    """

    __slots__ = (
        "_conn", "_data", "_done", "_handed_over", "_missing", "_parsing", "_protocol", "_read", "_timer", "_transport",
        "conn", "exchange", "progress",
    )  # fmt: skip

    def __init__(
        self,
        conn: Connection,
        exchange: Exchange,
        progress: Progress,
        parsing: ParserOptions,
        read: float,
        done: Callable[[PlainAnswer], None],
        handed_over: Callable[[], None],
    ) -> None:
        self.conn = conn
        self.exchange = exchange
        self.progress = progress
        self._parsing = parsing
        self._read = read
        self._done = done
        self._handed_over = handed_over
        self._protocol = cast("ResponseHandler", conn.protocol)
        self._transport = cast("asyncio.Transport", conn.transport)
        self._data: bytes = b""
        self._missing = 0
        self._timer: asyncio.TimerHandle | None = None

    def send(self, request: bytes, seconds: float) -> None:
        """Write a whole request, whose answer may take so many seconds."""
        self._timer = asyncio.get_running_loop().call_later(min(seconds, self._read), self._time_out)
        self._transport.set_protocol(self)
        self._transport.write(request)

    def abandon(self) -> None:
        """Give up the answer, and the connection with it."""
        self._leave()
        self.conn.close()

    def data_received(self, data: bytes) -> None:
        if self._data:
            data = self._data + data
            if len(data) < self._missing:
                self._data = data
                return
        answer = self._read_answer(data)
        if answer is not None:
            self._leave()
            self.conn.release()
            self._done(answer)
        elif self._missing:
            self._data = data
        else:
            self._give_back(data)

    def eof_received(self) -> None:
        protocol = self._protocol
        self._give_back(self._data)
        protocol.eof_received()

    def connection_lost(self, exc: BaseException | None) -> None:
        protocol = self._protocol
        self._give_back(self._data)
        protocol.connection_lost(exc)

    def pause_writing(self) -> None:
        self._protocol.pause_writing()

    def resume_writing(self) -> None:
        self._protocol.resume_writing()

    def _read_answer(self, data: bytes) -> PlainAnswer | None:
        """Return the answer if it is plain and all there; note how long it will be if only a part is."""
        self._missing = 0
        head = PLAIN.match(data)
        if head is None:
            return None
        lines = head[2]
        framing = FRAMED.findall(lines + b"\r\n")
        if len(framing) != 1 or framing[0][1] or int(head[1]) in WITHOUT_BODY:
            return None
        whole = head.end() + int(framing[0][0])
        if len(data) < whole <= MOST:
            self._missing = whole
        return PlainAnswer(int(head[1]), lines, data[head.end() :]) if len(data) == whole else None

    def _give_back(self, data: bytes) -> None:
        """Let aiohttp read the answer, from its first byte."""
        self._leave()
        protocol = self._protocol
        protocol.set_response_params(skip_payload=False, read_until_eof=True, read_timeout=self._read, **self._parsing)
        protocol.start_timeout()
        if data:
            protocol.data_received(data)
        self._handed_over()

    def _leave(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._transport.set_protocol(self._protocol)

    def _time_out(self) -> None:
        self._timer = None
        protocol = self._protocol
        self._give_back(self._data)
        protocol.set_exception(SocketTimeoutError("Timeout on reading data from socket"))
