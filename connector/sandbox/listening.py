"""The sandbox on a loopback port."""

from __future__ import annotations

import asyncio
import errno
import os

from aiohttp.abc import AbstractStreamWriter
from aiohttp.http_parser import RawRequestMessage
from aiohttp.streams import StreamReader
from aiohttp.web import BaseRequest, RequestHandler, Server, ServerRunner, TCPSite

from connector.errors import ConfigurationError
from connector.sandbox.app import App
from connector.sandbox.reading import MOST_BYTES

__all__ = ["Listener"]

HOST = "127.0.0.1"
GRACE = 2.0
"""Seconds that requests under way have at the end."""


class Listener:
    """A server of an app; it can be reached from this machine only."""

    def __init__(self, app: App, port: int) -> None:
        self._app = app
        self._port = port
        self._runner: ServerRunner | None = None

    async def start(self) -> int:
        """Listens, and says on which port."""
        server = Server(self._app.handle, request_factory=_request, access_log=None, lingering_time=0)
        runner = ServerRunner(server, shutdown_timeout=GRACE, handle_signals=False)
        await runner.setup()
        try:
            await TCPSite(runner, HOST, self._port, backlog=1024).start()
        except OSError as error:
            await runner.cleanup()
            raise ConfigurationError(_sentence(self._port, error)) from error
        self._runner = runner
        return int(runner.addresses[0][1])

    async def stop(self) -> None:
        """Lets requests under way end, and closes all connections."""
        if self._runner is not None:
            await self._runner.cleanup()


def _request(
    message: RawRequestMessage,
    payload: StreamReader,
    protocol: RequestHandler,
    writer: AbstractStreamWriter,
    task: asyncio.Task[None],
) -> BaseRequest:
    return BaseRequest(message, payload, protocol, writer, task, task.get_loop(), client_max_size=MOST_BYTES)


def _sentence(port: int, error: OSError) -> str:
    if error.errno == errno.EADDRINUSE:
        return f"port {port} of {HOST} is in use; choose another with --port, or 0 for any that is free"
    return f"cannot listen on port {port} of {HOST}: {os.strerror(error.errno or 0).lower()}"
