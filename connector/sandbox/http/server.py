"""The server of a sandbox on a loopback port, which closes connections whose client does not read."""

from __future__ import annotations

import asyncio
import errno
import logging
import os
from collections.abc import Awaitable, Callable
from typing import Any, cast
from urllib.parse import urlsplit

import orjson
from aiohttp.abc import AbstractStreamWriter
from aiohttp.http_exceptions import HttpProcessingError
from aiohttp.http_parser import RawRequestMessage
from aiohttp.streams import StreamReader
from aiohttp.web import BaseRequest, RequestHandler, Response, Server, ServerRunner, StreamResponse, TCPSite

from connector.errors import ConfigurationError
from connector.sandbox.http.app import App
from connector.sandbox.http.request_body import MOST_BYTES
from connector.stalled_readers import StalledReaders

__all__ = ["ConnectionServer", "HttpServer"]


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


HOST = "127.0.0.1"
ADDRESSES = ("127.0.0.1", "::1")
WRONG_HOST = "This sandbox answers to 127.0.0.1, localhost and other names without a dot."
LOG = logging.getLogger("connector.sandbox")
READ_TIMEOUT = 60.0
"""Seconds in which a caller has to read 16 KB of what waits for it."""
SHUTDOWN_TIMEOUT = 2.0
"""Seconds that current requests have at the end."""


class HttpServer:
    """The server of an app; it can be reached from this machine only."""

    def __init__(self, app: App, port: int, *, read_timeout: float = READ_TIMEOUT) -> None:
        self._app = app
        self._port = port
        self._read_timeout = read_timeout
        self._runner: ServerRunner | None = None

    async def start(self) -> int:
        """Start listening, and return the port."""
        LOG.addFilter(_is_own_fault)
        settings = {"request_factory": _build_request, "access_log": None, "lingering_time": 0, "logger": LOG}
        server = ConnectionServer(self._handle, still=self._read_timeout, **settings)
        runner = ServerRunner(server, shutdown_timeout=SHUTDOWN_TIMEOUT, handle_signals=False)
        await runner.setup()
        try:
            await TCPSite(runner, HOST, self._port, backlog=1024).start()
        except OSError as error:
            await runner.cleanup()
            raise ConfigurationError(_explain_bind_error(self._port, error)) from error
        self._runner = runner
        return int(runner.addresses[0][1])

    async def _handle(self, request: BaseRequest) -> StreamResponse:
        return await self._app.handle(request) if _has_local_host(request) else _refuse_host()

    async def stop(self) -> None:
        """Let current requests end, and close all connections."""
        if self._runner is not None:
            await self._runner.cleanup()


def _has_local_host(request: BaseRequest) -> bool:
    """Return whether the host is not a public name, by which a page in a browser could read along."""
    try:
        host = urlsplit(f"//{request.headers.get('host', '')}").hostname or ""
    except ValueError:
        return False
    return host in ADDRESSES or "." not in host


def _refuse_host() -> Response:
    error = {"message": WRONG_HOST, "type": "invalid_request_error", "param": None, "code": "unknown_host"}
    return Response(status=421, body=orjson.dumps({"error": error}), content_type="application/json")


def _is_own_fault(record: logging.LogRecord) -> bool:
    """Return whether a log record is about a fault of ours; malformed requests may hold keys."""
    return not (record.exc_info and isinstance(record.exc_info[1], HttpProcessingError))


def _build_request(
    message: RawRequestMessage,
    payload: StreamReader,
    protocol: RequestHandler,
    writer: AbstractStreamWriter,
    task: asyncio.Task[None],
) -> BaseRequest:
    return BaseRequest(message, payload, protocol, writer, task, task.get_loop(), client_max_size=MOST_BYTES)


def _explain_bind_error(port: int, error: OSError) -> str:
    if error.errno == errno.EADDRINUSE:
        return f"port {port} of {HOST} is in use; choose another with --port, or 0 for any that is free"
    return f"cannot listen on port {port} of {HOST}: {os.strerror(error.errno or 0).lower()}"
