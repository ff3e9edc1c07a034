"""Stock httpx as a transport, with the same guard in front of it as ours."""

from __future__ import annotations

import asyncio
from collections.abc import Collection

import httpx

from connector.http.addresses import check_addresses

__all__ = ["GuardedTransport"]


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
