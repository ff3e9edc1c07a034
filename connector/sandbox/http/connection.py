"""A connection of the sandbox: whoever calls has to read what is written."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, cast

from aiohttp.web import BaseRequest, RequestHandler, Server, StreamResponse

from connector.stalled_readers import StalledReaders

__all__ = ["ConnectionServer"]


class Connection(RequestHandler):
    """aiohttp's handler of a connection, which writes for ever otherwise."""

    __slots__ = ("_readers", "_wire")

    def __init__(self, server: ConnectionServer, **settings: Any) -> None:
        super().__init__(server, **settings)
        self._readers = server.readers

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        self._wire = cast("asyncio.Transport", transport)
        self._readers.watch(self._wire)

    def connection_lost(self, exc: BaseException | None) -> None:
        self._readers.forget(self._wire)
        super().connection_lost(exc)


class ConnectionServer(Server):
    """Makes a handler for each connection.

    Args:
        handle: answers a request.
        still: seconds in which some of what waits to be read must be.
        settings: aiohttp's own.
    """

    def __init__(
        self, handle: Callable[[BaseRequest], Awaitable[StreamResponse]], *, still: float, **settings: Any
    ) -> None:
        super().__init__(handle, **settings)
        self.readers = StalledReaders(still)

    def __call__(self) -> RequestHandler:
        return Connection(self, loop=self._loop, **self._kwargs)
