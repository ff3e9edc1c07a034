"""The gateway's socket: each connection takes its place before it may say anything, a TLS handshake included."""

from __future__ import annotations

import asyncio
import socket
import ssl
from contextlib import suppress
from typing import Any, cast

from connector.gateway.connection import Server

__all__ = ["Acceptor", "bound"]

BACKLOG = 1024
HANDSHAKE_SECONDS = 10.0
SHUTDOWN_SECONDS = 5.0
PAUSE = 0.1
"""Before another try when the system has no descriptor left."""


class Acceptor:
    """Accepts connections for a server.

    Args:
        server: makes the handler of each connection, and counts them.
        listener: a socket that is bound.
        context: for TLS.
    """

    def __init__(self, server: Server, listener: socket.socket, context: ssl.SSLContext | None) -> None:
        self._server = server
        self._listener = listener
        self._context = context
        self._accepting: asyncio.Task[None] | None = None
        self._handshakes: set[asyncio.Task[None]] = set()

    @property
    def address(self) -> tuple[str, int]:
        """Where it listens."""
        host, port = self._listener.getsockname()[:2]
        return str(host), int(port)

    def start(self) -> None:
        self._listener.listen(BACKLOG)
        self._accepting = asyncio.get_running_loop().create_task(self._accept())

    def close(self) -> None:
        for task in (self._accepting, *self._handshakes):
            if task is not None:
                task.cancel()
        self._listener.close()

    async def _accept(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            try:
                connection, peer = await loop.sock_accept(self._listener)
            except ConnectionError:
                continue
            except OSError:
                await asyncio.sleep(PAUSE)
                continue
            task = loop.create_task(self._take(connection, peer))
            self._handshakes.add(task)
            task.add_done_callback(self._handshakes.discard)

    async def _take(self, connection: socket.socket, peer: Any) -> None:
        """Hands a connection to its handler, after the handshake if there is one."""
        handler = self._server.handler(str(peer[0]), cast("asyncio.Task[None]", asyncio.current_task()).cancel)
        seconds = {"ssl_handshake_timeout": HANDSHAKE_SECONDS, "ssl_shutdown_timeout": SHUTDOWN_SECONDS}
        try:
            await asyncio.get_running_loop().connect_accepted_socket(
                lambda: handler, connection, ssl=self._context, **(seconds if self._context is not None else {})
            )
        except OSError:  # the handshake failed, which is nobody's fault here
            handler.seat.leave()
        except BaseException:
            handler.seat.leave()
            raise


async def bound(host: str, port: int) -> socket.socket:
    """A socket that is bound and does not yet take calls; OSError when it cannot be."""
    loop = asyncio.get_running_loop()
    found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    family, kind, protocol, _, address = found[0]
    listener = socket.socket(family, kind, protocol)
    try:
        listener.setblocking(False)
        with suppress(OSError):
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        listener.bind(address)
    except BaseException:
        listener.close()
        raise
    return listener
