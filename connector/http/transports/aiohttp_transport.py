"""An httpx transport on aiohttp whose exceptions tell the truth about what went out.

ConnectError, ConnectTimeout, PoolTimeout and ProxyError mean that not one byte of the request left; every other
TransportError means that some may have. aiohttp's own second try on a dead connection never happens: by the time its
session sees an error, that error is ours, and ours it does not repeat.
"""

from __future__ import annotations

import ssl
from collections.abc import Callable, Collection, Mapping
from socket import AddressFamily
from typing import Any, cast
from weakref import WeakSet

import aiohttp
import httpx
from aiohttp.abc import AbstractResolver, ResolveResult
from aiohttp.client_middlewares import ClientHandlerType
from aiohttp.connector import Connection
from aiohttp.http_exceptions import HttpProcessingError
from yarl import URL

from connector.errors import ConnectorError
from connector.http.addresses import check_addresses
from connector.http.transports.aiohttp_connection import (
    DirectResponse,
    DirectSender,
    Exchange,
    ParserOptions,
    ResponseStream,
)
from connector.http.transports.aiohttp_exceptions import StaleConnection, TransportFailure
from connector.http.transports.base import IN_ONE_PIECE, Progress, Upload
from connector.http.transports.direct_exchange import DirectExchange, PlainAnswer
from connector.http.transports.tls import TlsContext

__all__ = ["AiohttpTransport", "GuardedResolver", "ResponseStream"]

PARSING: ParserOptions = {
    "auto_decompress": False,
    "read_bufsize": 256 * 1024,
    "max_line_size": 32 * 1024,
    "max_field_size": 32 * 1024,
    "max_headers": 256,
}


class GuardedResolver(AbstractResolver):
    """Resolves as another resolver does, and refuses names that lead to a link-local or metadata address."""

    def __init__(self, inner: AbstractResolver, allowed_hosts: Collection[str] = ()) -> None:
        self._inner = inner
        self._allowed_hosts = allowed_hosts

    async def resolve(
        self, host: str, port: int = 0, family: AddressFamily = AddressFamily.AF_INET
    ) -> list[ResolveResult]:
        found = await self._inner.resolve(host, port, family)
        check_addresses(host, (result["host"] for result in found), self._allowed_hosts)
        return found

    async def close(self) -> None:
        await self._inner.close()


class _Request(aiohttp.ClientRequest):
    """aiohttp's request, telling its exchange when it is handed to an open connection."""

    exchange: Exchange

    async def send(self, conn: Connection) -> aiohttp.ClientResponse:
        self.exchange.hand_over(conn)
        return await super().send(conn)


class _Watcher:
    """Surrounds one request of aiohttp's session."""

    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange

    async def __call__(self, request: aiohttp.ClientRequest, handler: ClientHandlerType) -> aiohttp.ClientResponse:
        """Make aiohttp's attempt; another pooled connection is taken while nothing was written."""
        cast("_Request", request).exchange = self._exchange
        while True:
            try:
                return await handler(request)
            except StaleConnection:
                continue
            except ConnectorError:
                raise
            except (aiohttp.ClientError, OSError) as exc:
                failure = self._exchange.map_failure(exc)
            raise TransportFailure(failure)


class AiohttpTransport(httpx.AsyncBaseTransport):
    """Sends what it is given and nothing else: no redirects, cookies, environment, decompression or second tries."""

    def __init__(
        self,
        *,
        tls: TlsContext | None = None,
        proxy: str | None = None,
        connections: int = 0,
        allowed_hosts: Collection[str] = (),
    ) -> None:
        self._tls = tls or TlsContext()
        self._proxy = proxy
        self._connections = connections
        self._allowed_hosts = allowed_hosts
        self._session: aiohttp.ClientSession | None = None
        self._direct: DirectSender | None = None
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
            _convert_headers(request),
            _convert_body(request, timeouts.get("write")),
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
    ) -> ResponseStream:
        """Return the answer to a request as soon as its headers are there, without httpx's objects around either."""
        upload = body if isinstance(body, Upload) else None
        exchange = Exchange(self, url.authority, upload, progress)
        timeout = self._find_timeout(timeouts.get("connect"), timeouts.get("read"))
        tls = self._tls.current() if url.scheme == "https" else True
        self.in_flight += 1
        try:
            response = await self._send(method, url, headers, body, exchange, timeout, tls)
        except TransportFailure as wrapped:
            failure = wrapped.failure
        except (aiohttp.ClientError, HttpProcessingError, OSError) as exc:
            failure = exchange.map_failure(exc)
        else:
            self.in_flight += 1
            return ResponseStream(self, response, exchange)
        finally:
            self.in_flight -= 1
        raise failure

    def begin(
        self,
        url: URL,
        request: bytes,
        timeouts: Mapping[str, float],
        done: Callable[[PlainAnswer], None],
        handed_over: Callable[[], None],
    ) -> DirectExchange | None:
        """Send a whole request over an idle connection, and return its exchange; None when there is none.

        Args:
            url: where it goes.
            request: head and body.
            timeouts: seconds, `total` and `read`.
            done: takes the answer.
            handed_over: is called when the answer has to be read by `resume`.
        """
        if self._direct is None:
            return None
        tls = self._tls.current() if url.scheme == "https" else True
        while (conn := self._direct.take_idle(url, tls)) is not None:
            progress = Progress()
            exchange = Exchange(self, url.authority, None, progress)
            try:
                exchange.hand_over(conn)
            except StaleConnection:
                conn.close()
                continue
            made = DirectExchange(conn, exchange, progress, PARSING, timeouts["read"], done, handed_over)
            made.send(request, timeouts["total"])
            return made
        return None

    async def resume(self, begun: DirectExchange) -> ResponseStream:
        """Return the answer of an exchange that was handed over, as soon as its headers are there."""
        try:
            if self._direct is None:
                raise aiohttp.ServerDisconnectedError
            response = await self._direct.read_head_again(begun.conn)
        except (aiohttp.ClientError, HttpProcessingError, OSError) as exc:
            failure = begun.exchange.map_failure(exc)
        else:
            self.in_flight += 1
            return ResponseStream(self, response, begun.exchange)
        raise failure

    async def _send(
        self,
        method: str,
        url: URL,
        headers: list[tuple[str, str]],
        body: Upload | bytes | None,
        exchange: Exchange,
        timeout: aiohttp.ClientTimeout,  # noqa: ASYNC109  aiohttp's own
        tls: ssl.SSLContext | bool,
    ) -> aiohttp.ClientResponse | DirectResponse:
        """Send through aiohttp's session where a body comes in pieces or a proxy is given, and directly otherwise."""
        session = self._session or self._open_session()
        if self._direct is not None and not isinstance(body, Upload):
            return await self._direct.send(method, url, headers, body or b"", exchange, timeout=timeout, tls=tls)
        typed = any(name.lower() == "content-type" for name, _ in headers)
        return await session.request(
            method,
            url,
            headers=headers,
            data=body,
            skip_auto_headers=() if typed else ("Content-Type",),
            allow_redirects=False,
            timeout=timeout,
            ssl=tls,
            middlewares=(_Watcher(exchange),),
        )

    async def aclose(self) -> None:
        session, self._session = self._session, None
        if session is not None:
            await session.close()

    def _open_session(self) -> aiohttp.ClientSession:
        connector = aiohttp.TCPConnector(
            limit=self._connections, resolver=GuardedResolver(aiohttp.DefaultResolver(), self._allowed_hosts)
        )
        self._direct = None if self._proxy else DirectSender(connector, PARSING)
        self._session = aiohttp.ClientSession(
            connector=connector,
            request_class=_Request,
            cookie_jar=aiohttp.DummyCookieJar(),
            skip_auto_headers=("Accept", "Accept-Encoding", "User-Agent"),
            trust_env=False,
            proxy=self._proxy,
            **PARSING,
        )
        return self._session

    def _find_timeout(self, connect: float | None, read: float | None) -> aiohttp.ClientTimeout:
        found = self._timeouts.get((connect, read))
        if found is None:
            found = aiohttp.ClientTimeout(total=None, connect=connect, sock_read=read)
            self._timeouts[connect, read] = found
        return found


def _convert_headers(request: httpx.Request) -> list[tuple[str, str]]:
    """Return the headers as aiohttp takes them; the framing of a body of unknown length is its own business."""
    return [
        (name.decode("ascii"), value.decode("utf-8"))
        for name, value in request.headers.raw
        if name.lower() != b"transfer-encoding"
    ]


def _convert_body(request: httpx.Request, idle: float | None) -> Upload | bytes | None:
    """Return the body as aiohttp takes it, watched when it is not written at once."""
    stream = request.stream
    if not isinstance(stream, httpx.ByteStream):
        return Upload(cast("httpx.AsyncByteStream", stream), idle)
    content = b"".join(stream)
    return Upload(content, idle) if len(content) > IN_ONE_PIECE else content or None
