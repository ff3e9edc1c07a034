"""A request that is written at once: aiohttp's connections and parser, without what its session makes for each call.

The session's redirects, cookies and proxies are not asked for here, and cost more than the call itself.
"""

from __future__ import annotations

import asyncio
import ssl
from typing import TYPE_CHECKING, Any, TypedDict

import aiohttp
from aiohttp.http import StreamWriter
from multidict import CIMultiDict
from yarl import URL

from connector.http.mapping import Stale

if TYPE_CHECKING:
    from aiohttp.connector import Connection

    from connector.http.exchange import Exchange

__all__ = ["Arrived", "Direct", "Parsing"]

SWITCHED = 101
"""The one answer below 200 that is the last: nothing follows it that we understand."""


class Parsing(TypedDict):
    """How answers are read, in aiohttp's words."""

    auto_decompress: bool
    read_bufsize: int
    max_line_size: int
    max_field_size: int
    max_headers: int


class Arrived:
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
        """Gives up what has not come yet, and the connection with it."""
        conn, self._conn = self._conn, None
        if conn is not None:
            conn.close()


class Direct:
    """Sends through a pool of connections.

    Args:
        connector: the pool.
        parsing: how answers are read.
    """

    def __init__(self, connector: aiohttp.BaseConnector, parsing: Parsing) -> None:
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
    ) -> Arrived:
        """The answer as soon as its headers are there."""
        origin = self._origin(url, tls)
        while True:
            conn = await self._connector.connect(origin, [], timeout)
            try:
                exchange.hand_over(conn)
                await self.write(conn, f"{method} {url.raw_path_qs} HTTP/1.1", _complete(headers, url, body), body)
                return await self._head(conn, method, timeout.sock_read)
            except Stale:
                conn.close()
            except BaseException:
                conn.close()
                raise

    def _origin(self, url: URL, tls: ssl.SSLContext | bool) -> aiohttp.ClientRequest:
        """What the pool wants to know of where a connection leads; the same for every call that goes there."""
        key = (url.scheme, url.authority, tls)
        found = self._origins.get(key)
        if found is None:
            found = aiohttp.ClientRequest("GET", url.origin(), ssl=tls, loop=self._loop)
            self._origins[key] = found
        return found

    async def write(self, conn: Connection, line: str, headers: CIMultiDict[str], body: bytes) -> None:
        """Hands the whole request to a connection."""
        protocol = conn.protocol
        if protocol is None:
            raise Stale
        out = StreamWriter(protocol, self._loop)
        await out.write_headers(line, headers)
        # Nothing waits for the server to take it: a server that answers instead is listened to.
        await out.write(body, drain=False)

    async def _head(self, conn: Connection, method: str, read: float | None) -> Arrived:
        protocol = conn.protocol
        if protocol is None:
            raise aiohttp.ServerDisconnectedError
        protocol.set_response_params(
            skip_payload=method == "HEAD", read_until_eof=True, read_timeout=read, **self._parsing
        )
        protocol.start_timeout()
        message, content = await protocol.read()
        while message.code < 200 and message.code != SWITCHED:
            message, content = await protocol.read()
        return Arrived(conn, message.code, message.raw_headers, content)


def _complete(headers: list[tuple[str, str]], url: URL, body: bytes) -> CIMultiDict[str]:
    """The headers with the two that a request cannot do without."""
    given = CIMultiDict(headers)
    if "host" not in given:
        given["Host"] = url.host_port_subcomponent or ""
    if body and "content-length" not in given:
        given["Content-Length"] = str(len(body))
    return given
