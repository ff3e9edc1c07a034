"""An httpx transport on aiohttp whose exceptions tell the truth about what went out.

ConnectError, ConnectTimeout, PoolTimeout and ProxyError mean that not one byte of the request left; every other
TransportError means that some may have. aiohttp's own second try on a dead connection never happens: by the time its
session sees an error, that error is ours, and ours it does not repeat.
"""

from __future__ import annotations

import ssl
from collections.abc import AsyncIterator, Callable, Collection, Mapping
from typing import TYPE_CHECKING, Any, cast
from weakref import WeakSet

import aiohttp
import httpx
from yarl import URL

from connector.errors import ConnectorError
from connector.http.mapping import Stale, Told, after_sending, before_sending
from connector.http.progress import Progress
from connector.http.readable import has_news
from connector.http.resolver import GuardedResolver
from connector.http.tls import tls_context
from connector.http.upload import Upload, pieces

if TYPE_CHECKING:
    from aiohttp.client_middlewares import ClientHandlerType
    from aiohttp.connector import Connection

__all__ = ["AiohttpTransport", "Answer"]

LONGEST_HEADER = 32 * 1024
MOST_HEADERS = 256
READ_BUFFER = 256 * 1024
IN_ONE_PIECE = 64 * 1024
"""A body up to this size is written at once; a larger one in pieces, so that a stalled reader is noticed."""


class _Request(aiohttp.ClientRequest):
    """aiohttp's request, telling its exchange when it is handed to an open connection."""

    exchange: _Exchange

    async def send(self, conn: Connection) -> aiohttp.ClientResponse:
        self.exchange.hand_over(conn)
        return await super().send(conn)


class _Exchange:
    """One request and its answer: maps what goes wrong by how far it got."""

    def __init__(
        self, transport: AiohttpTransport, where: str, upload: Upload | None, progress: Progress | None
    ) -> None:
        self._transport = transport
        self._where = where
        self._upload = upload
        self._progress = progress or Progress()
        self._progress.handed_over = False

    async def __call__(self, request: aiohttp.ClientRequest, handler: ClientHandlerType) -> aiohttp.ClientResponse:
        """The middleware around aiohttp's attempt; another pooled connection is taken while nothing was written."""
        cast("_Request", request).exchange = self
        while True:
            try:
                return await handler(request)
            except Stale:
                continue
            except ConnectorError:
                raise
            except (aiohttp.ClientError, OSError) as exc:
                failure = self.told(exc)
            raise Told(failure)

    def hand_over(self, conn: Connection) -> None:
        """From here on bytes may leave; a pooled connection that the server has closed is left untouched."""
        protocol, transport = conn.protocol, conn.transport
        used = self._transport.used
        if protocol is None or transport is None or transport.is_closing():
            raise Stale
        if protocol in used and has_news(transport):
            raise Stale
        used.add(protocol)
        if self._upload is not None:
            self._upload.abort = transport.abort
        self._progress.handed_over = True

    def told(self, exc: Exception) -> Exception:
        """The exception that tells how far the request got."""
        upload = self._upload
        if upload is not None and upload.failure is not None:
            return upload.failure
        if not self._progress.handed_over:
            return before_sending(exc, where=self._where, queueing=self._transport.crowded)
        uploading = upload is not None and not upload.finished
        return after_sending(exc, where=self._where, uploading=uploading, stalled=upload is not None and upload.stalled)


class Answer(httpx.AsyncByteStream):
    """An answer's status and headers, and its bytes as they arrive, still compressed."""

    def __init__(self, transport: AiohttpTransport, response: aiohttp.ClientResponse, exchange: _Exchange) -> None:
        self._transport = transport
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
                failure = self._exchange.told(exc)
            else:
                if not chunk:
                    return
                yield chunk
                continue
            raise failure

    async def aclose(self) -> None:
        if self._open:
            self._open = False
            self._transport.in_flight -= 1
            # An answer read to its end has given its connection back already; any other one is worth no more.
            self._response.close()


class AiohttpTransport(httpx.AsyncBaseTransport):
    """Sends what it is given and nothing else: no redirects, cookies, environment, decompression or second tries."""

    def __init__(
        self,
        *,
        tls: Callable[[], ssl.SSLContext] = tls_context,
        proxy: str | None = None,
        connections: int = 0,
        allowed_hosts: Collection[str] = (),
    ) -> None:
        self._make_context = tls
        self._proxy = proxy
        self._connections = connections
        self._allowed_hosts = allowed_hosts
        self._session: aiohttp.ClientSession | None = None
        self._tls: ssl.SSLContext | None = None
        self._timeouts: dict[tuple[float | None, float | None], aiohttp.ClientTimeout] = {}
        self.used: WeakSet[Any] = WeakSet()
        self.in_flight = 0

    @property
    def crowded(self) -> bool:
        """Whether more calls are under way than there may be connections."""
        return 0 < self._connections < self.in_flight

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        timeouts: dict[str, float | None] = request.extensions.get("timeout", {})
        answer = await self.exchange(
            request.method,
            URL(str(request.url), encoded=True),
            _headers(request),
            _body(request, timeouts.get("write")),
            timeouts,
            request.extensions.get("progress"),
        )
        return httpx.Response(answer.status, headers=answer.headers, stream=answer)

    async def exchange(
        self,
        method: str,
        url: URL,
        headers: list[tuple[str, str]],
        body: Upload | bytes | None,
        timeouts: Mapping[str, float | None],
        progress: Progress | None = None,
    ) -> Answer:
        """The answer to a request as soon as its headers are there, without httpx's objects around either."""
        session = self._session or self._opened()
        upload = body if isinstance(body, Upload) else None
        exchange = _Exchange(self, url.authority, upload, progress)
        typed = any(name.lower() == "content-type" for name, _ in headers)
        self.in_flight += 1
        try:
            response = await session.request(
                method,
                url,
                headers=headers,
                data=body,
                skip_auto_headers=() if typed else ("Content-Type",),
                allow_redirects=False,
                timeout=self._timeout(timeouts.get("connect"), timeouts.get("read")),
                ssl=self._context() if url.scheme == "https" else True,
                middlewares=(exchange,),
            )
        except Told as told:
            failure = told.failure
        else:
            self.in_flight += 1
            return Answer(self, response, exchange)
        finally:
            self.in_flight -= 1
        raise failure

    async def aclose(self) -> None:
        session, self._session = self._session, None
        if session is not None:
            await session.close()

    def _opened(self) -> aiohttp.ClientSession:
        connector = aiohttp.TCPConnector(
            limit=self._connections, resolver=GuardedResolver(aiohttp.DefaultResolver(), self._allowed_hosts)
        )
        self._session = aiohttp.ClientSession(
            connector=connector,
            request_class=_Request,
            cookie_jar=aiohttp.DummyCookieJar(),
            skip_auto_headers=("Accept", "Accept-Encoding", "User-Agent"),
            auto_decompress=False,
            trust_env=False,
            proxy=self._proxy,
            read_bufsize=READ_BUFFER,
            max_line_size=LONGEST_HEADER,
            max_field_size=LONGEST_HEADER,
            max_headers=MOST_HEADERS,
        )
        return self._session

    def _context(self) -> ssl.SSLContext:
        if self._tls is None:
            self._tls = self._make_context()
        return self._tls

    def _timeout(self, connect: float | None, read: float | None) -> aiohttp.ClientTimeout:
        found = self._timeouts.get((connect, read))
        if found is None:
            found = aiohttp.ClientTimeout(total=None, connect=connect, sock_read=read)
            self._timeouts[connect, read] = found
        return found


def _headers(request: httpx.Request) -> list[tuple[str, str]]:
    """The headers as aiohttp takes them; the framing of a body of unknown length is its own business."""
    return [
        (name.decode("ascii"), value.decode("utf-8"))
        for name, value in request.headers.raw
        if name.lower() != b"transfer-encoding"
    ]


def _body(request: httpx.Request, idle: float | None) -> Upload | bytes | None:
    """The body as aiohttp takes it, watched when it is not written at once."""
    stream = request.stream
    if not isinstance(stream, httpx.ByteStream):
        return Upload(cast("httpx.AsyncByteStream", stream), idle)
    content = b"".join(stream)
    return Upload(pieces(content), idle) if len(content) > IN_ONE_PIECE else content or None
