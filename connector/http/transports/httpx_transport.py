"""Stock httpx as a transport, with the same guard in front of it as ours."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable, Collection

import httpx

from connector.http.addresses import check_addresses
from connector.http.transports.tls import TlsContext

__all__ = ["GuardedTransport", "RenewedTransport"]


class RenewedTransport(httpx.AsyncBaseTransport):
    """Stock httpx, made anew when the client's certificate was replaced; calls under way end on the one before.

    Args:
        tls: the contexts.
        connect: makes a transport of one.
    """

    def __init__(self, tls: TlsContext, connect: Callable[[ssl.SSLContext], httpx.AsyncBaseTransport]) -> None:
        self._tls = tls
        self._connect = connect
        self._context: ssl.SSLContext | None = None
        self._opened: list[httpx.AsyncBaseTransport] = []

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        context = self._tls.current()
        if context is not self._context:
            self._context = context
            self._opened.append(self._connect(context))
        transport = self._opened[-1]
        while len(self._opened) > 2:
            await self._opened.pop(0).aclose()
        return await transport.handle_async_request(request)

    async def aclose(self) -> None:
        while self._opened:
            await self._opened.pop().aclose()


class GuardedTransport(httpx.AsyncBaseTransport):
    """Looks where a name leads before another transport looks again; a proxy does its own looking."""

    def __init__(self, inner: httpx.AsyncBaseTransport, allowed_hosts: Collection[str] = ()) -> None:
        self._inner = inner
        self._allowed_hosts = allowed_hosts

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        host = request.url.host
        try:
            found = await asyncio.get_running_loop().getaddrinfo(host, request.url.port)
        except OSError:
            found = []
        check_addresses(host, (str(address[0]) for *_, address in found), self._allowed_hosts)
        return await self._inner.handle_async_request(request)

    async def aclose(self) -> None:
        await self._inner.aclose()
