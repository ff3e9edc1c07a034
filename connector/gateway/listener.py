"""Listen on a socket: each connection takes its slot before anything is read, a TLS handshake included."""

from __future__ import annotations

import asyncio
import socket
import ssl
from contextlib import suppress
from typing import Any, cast

from connector.gateway.connection import ConnectionServer

__all__ = ["Listener", "bind_socket"]

BACKLOG = 1024
HANDSHAKE_SECONDS = 10.0
SHUTDOWN_SECONDS = 5.0
RETRY_SECONDS = 0.1
"""Before another try when the system has no file descriptor left."""


class Listener:
    """Accept connections for a server.

    Args:
        server: makes the handler of each connection.
        bound: a socket that is bound.
        tls: without it connections are plain.
    """

    def __init__(self, server: ConnectionServer, bound: socket.socket, tls: ssl.SSLContext | None) -> None:
        self._server = server
        self._socket = bound
        self._tls = tls
        self._accepting: asyncio.Task[None] | None = None
        self._handshakes: set[asyncio.Task[None]] = set()

    def start(self) -> None:
        self._socket.listen(BACKLOG)
        self._accepting = asyncio.get_running_loop().create_task(self._accept())

    def close(self) -> None:
        for task in (self._accepting, *self._handshakes):
            if task is not None:
                task.cancel()
        self._socket.close()

    async def _accept(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            try:
                connection, peer = await loop.sock_accept(self._socket)
            except ConnectionError:
                continue
            except OSError:
                await asyncio.sleep(RETRY_SECONDS)
                continue
            task = loop.create_task(self._serve(connection, peer))
            self._handshakes.add(task)
            task.add_done_callback(self._handshakes.discard)

    async def _serve(self, connection: socket.socket, peer: Any) -> None:
        """Hand a connection to its handler, after the handshake if there is one."""
        handler = self._server.connect(str(peer[0]), cast("asyncio.Task[None]", asyncio.current_task()).cancel)
        seconds = {"ssl_handshake_timeout": HANDSHAKE_SECONDS, "ssl_shutdown_timeout": SHUTDOWN_SECONDS}
        try:
            await asyncio.get_running_loop().connect_accepted_socket(
                lambda: handler, connection, ssl=self._tls, **(seconds if self._tls is not None else {})
            )
        except OSError:  # the handshake failed
            handler.slot.release()
        except BaseException:
            handler.slot.release()
            raise


async def bind_socket(host: str, port: int) -> socket.socket:
    """Return a socket that is bound and does not listen yet; OSError when it cannot be."""
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
