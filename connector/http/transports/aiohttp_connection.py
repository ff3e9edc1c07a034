"""One request and its answer: how far it got, and what that means for an error."""

from __future__ import annotations

import asyncio
import select
import ssl
from collections.abc import AsyncIterator
from typing import Any, Protocol, TypedDict
from weakref import WeakSet

import aiohttp
import httpx
from aiohttp.client_proto import ResponseHandler
from aiohttp.connector import Connection
from aiohttp.http import StreamWriter
from multidict import CIMultiDict
from yarl import URL

from connector.http.transports.aiohttp_exceptions import StaleConnection, map_after_sending, map_before_sending
from connector.http.transports.base import Progress, Upload

__all__ = ["DirectResponse", "DirectSender", "Exchange", "ParserOptions", "Pool", "ResponseStream", "is_readable"]

MOST_ORIGINS = 256
SWITCHED = 101
"""The one answer below 200 that is the last: nothing follows it that we understand."""


class ParserOptions(TypedDict):
    """How answers are read, in aiohttp's words."""

    auto_decompress: bool
    read_bufsize: int
    max_line_size: int
    max_field_size: int
    max_headers: int


class DirectResponse:
    """An answer whose headers are there; its connection is free for the next call when all of it was received."""

    __slots__ = ("_conn", "content", "raw_headers", "status")

    def __init__(self, conn: Connection, status: int, raw_headers: Any, content: aiohttp.StreamReader) -> None:
        self._conn: Connection | None = conn
        self.status = status
        self.raw_headers = raw_headers
        self.content = content
        content.on_eof(self._release)

    def _release(self) -> None:
        conn, self._conn = self._conn, None
        if conn is not None:
            conn.release()

    def close(self) -> None:
        """Give up what has not come yet, and the connection with it."""
        conn, self._conn = self._conn, None
        if conn is not None:
            conn.close()


class DirectSender:
    """Sends through a pool of connections.

    Args:
        connector: the pool.
        parsing: how answers are read.
    """

    def __init__(self, connector: aiohttp.BaseConnector, parsing: ParserOptions) -> None:
        self._connector = connector
        self._parsing = parsing
        self._loop = asyncio.get_running_loop()
        self._origins: dict[tuple[str, str, Any], aiohttp.ClientRequest] = {}

    async def send(
        self,
        method: str,
        url: URL,
        headers: list[tuple[str, str]],
        body: bytes,
        exchange: Exchange,
        *,
        timeout: aiohttp.ClientTimeout,  # noqa: ASYNC109  aiohttp's own, of a connection
        tls: ssl.SSLContext | bool,
    ) -> DirectResponse:
        """Return the answer as soon as its headers are there."""
        origin = self._find_origin(url, tls)
        while True:
            conn = await self._connector.connect(origin, [], timeout)
            try:
                exchange.hand_over(conn)
                await self.write(
                    conn, f"{method} {url.raw_path_qs} HTTP/1.1", _complete_headers(headers, url, body), body
                )
                return await self._read_head(conn, method, timeout.sock_read)
            except StaleConnection:
                conn.close()
            except BaseException:
                conn.close()
                raise

    def _find_origin(self, url: URL, tls: ssl.SSLContext | bool) -> aiohttp.ClientRequest:
        """Return what the pool needs to know of an origin; the same for every call that goes there."""
        key = (url.scheme, url.authority, tls)
        found = self._origins.get(key)
        if found is None:
            if len(self._origins) >= MOST_ORIGINS:
                self._origins.clear()  # what a replaced certificate left behind
            found = aiohttp.ClientRequest("GET", url.origin(), ssl=tls, loop=self._loop)
            self._origins[key] = found
        return found

    async def write(self, conn: Connection, line: str, headers: CIMultiDict[str], body: bytes) -> None:
        """Hand the whole request to a connection."""
        protocol = conn.protocol
        if protocol is None:
            raise StaleConnection
        out = StreamWriter(protocol, self._loop)
        await out.write_headers(line, headers)
        # Nothing waits for the server to take it: a server that answers instead is listened to.
        await out.write(body, drain=False)

    async def _read_head(self, conn: Connection, method: str, read: float | None) -> DirectResponse:
        protocol = conn.protocol
        if protocol is None:
            raise aiohttp.ServerDisconnectedError
        protocol.set_response_params(
            skip_payload=method == "HEAD", read_until_eof=True, read_timeout=read, **self._parsing
        )
        protocol.start_timeout()
        return await self._receive_head(conn, protocol)

    def take_idle(self, url: URL, tls: ssl.SSLContext | bool) -> Connection | None:
        """Return an open connection of the pool that nobody uses, if there is one."""
        key = self._find_origin(url, tls).connection_key
        taking = self._connector._get(key, [])  # noqa: SLF001  # pyright: ignore[reportPrivateUsage]
        try:
            taking.send(None)
        except StopIteration as taken:
            found: Connection | None = taken.value
            return found
        taking.close()
        raise RuntimeError("aiohttp's pool waits before it gives an idle connection")

    async def read_head_again(self, conn: Connection) -> DirectResponse:
        """Return the answer to a request that was written without a task, once its headers are there."""
        protocol = conn.protocol
        if protocol is None:
            raise aiohttp.ServerDisconnectedError
        try:
            return await self._receive_head(conn, protocol)
        except BaseException:
            conn.close()
            raise

    async def _receive_head(self, conn: Connection, protocol: ResponseHandler) -> DirectResponse:
        message, content = await protocol.read()
        while message.code < 200 and message.code != SWITCHED:
            message, content = await protocol.read()
        return DirectResponse(conn, message.code, message.raw_headers, content)


def _complete_headers(headers: list[tuple[str, str]], url: URL, body: bytes) -> CIMultiDict[str]:
    """Return the headers with the two that a request cannot do without."""
    given = CIMultiDict(headers)
    if "host" not in given:
        given["Host"] = url.host_port_subcomponent or ""
    if body and "content-length" not in given:
        given["Content-Length"] = str(len(body))
    return given


class Pool(Protocol):
    """What is known of a transport's connections."""

    used: WeakSet[Any]
    """Those that carried a request before."""
    in_flight: int
    """Calls under way."""

    @property
    def crowded(self) -> bool:
        """Whether more calls are under way than there may be connections."""
        ...


class Exchange:
    """Maps what goes wrong with one request by how far it got."""

    __slots__ = ("_is_new", "_pool", "_progress", "_upload", "_where")

    def __init__(self, pool: Pool, where: str, upload: Upload | None, progress: Progress | None) -> None:
        self._pool = pool
        self._where = where
        self._upload = upload
        self._is_new = False
        self._progress = progress or Progress()
        self._progress.handed_over = False

    def hand_over(self, conn: Connection) -> None:
        """Note that bytes may leave from now on; StaleConnection for a pooled connection that the server has closed."""
        protocol, transport = conn.protocol, conn.transport
        used = self._pool.used
        if protocol is None or transport is None or transport.is_closing():
            raise StaleConnection
        if protocol not in used:
            used.add(protocol)
            self._is_new = True
        elif is_readable(transport):
            raise StaleConnection
        if self._upload is not None:
            self._upload.abort = transport.abort
        self._progress.handed_over = True

    def map_failure(self, exc: Exception) -> Exception:
        """Return the exception that says how far the request got."""
        upload = self._upload
        if upload is not None and upload.failure is not None:
            return upload.failure
        if not self._progress.handed_over:
            return map_before_sending(exc, where=self._where, queueing=self._pool.crowded)
        uploading = upload is not None and not upload.finished
        return map_after_sending(
            exc,
            where=self._where,
            uploading=uploading,
            stalled=upload is not None and upload.stalled,
            is_new=self._is_new,
        )


class ResponseStream(httpx.AsyncByteStream):
    """An answer's status and headers, and its bytes as they arrive, still compressed."""

    def __init__(self, pool: Pool, response: aiohttp.ClientResponse | DirectResponse, exchange: Exchange) -> None:
        self._pool = pool
        self._response = response
        self._exchange = exchange
        self._open = True
        self.status = response.status
        self.headers = list(response.raw_headers)

    async def __aiter__(self) -> AsyncIterator[bytes]:
        content = self._response.content
        while True:
            try:
                chunk = await content.readany()
            except (aiohttp.ClientError, OSError) as exc:
                failure = self._exchange.map_failure(exc)
            else:
                if not chunk:
                    return
                yield chunk
                continue
            raise failure

    def take_whole(self) -> bytes | None:
        """Return the bytes when all of them have arrived already; they do not come again."""
        content = self._response.content
        return content.read_nowait() if content.is_eof() and content.exception() is None else None

    async def aclose(self) -> None:
        if self._open:
            self._open = False
            self._pool.in_flight -= 1
            # An answer read to its end has given its connection back already; any other one is worth no more.
            self._response.close()


def is_readable(transport: asyncio.Transport) -> bool:
    """Return whether something can be read where nothing is due: an end of file, or bytes that answer no request."""
    socket = transport.get_extra_info("socket")
    if socket is None or not hasattr(select, "poll"):
        return False
    descriptor: int = socket.fileno()
    if descriptor < 0:
        return True
    poll = select.poll()
    poll.register(descriptor, select.POLLIN)
    return bool(poll.poll(0))
