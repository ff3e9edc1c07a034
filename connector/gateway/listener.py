"""Listen on a socket: each connection takes its slot before anything is read, a TLS handshake included."""

from __future__ import annotations

import asyncio
import errno
import os
import socket
import ssl
from contextlib import suppress
from pathlib import Path
from typing import Any, cast

from connector.config.models.gateway import Tls
from connector.errors import ConfigurationError
from connector.gateway.access_log import LOG
from connector.gateway.connection import ConnectionServer

__all__ = ["Listener", "bind_address", "bind_socket", "load_tls", "loopback_address", "raise_file_limit"]

BACKLOG = 1024
HANDSHAKE_SECONDS = 10.0
SHUTDOWN_SECONDS = 5.0
OTHER_FILES = 128
"""Open files beside those of connections."""
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


async def bind_address(host: str, port: int, where: str) -> socket.socket:
    """Return a socket that is bound; ConfigurationError says why it cannot be.

    Args:
        where: which setting names the address.
    """
    try:
        return await bind_socket(host, port)
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            reason = "something else listens there; choose another port"
        else:
            reason = os.strerror(error.errno).lower() if error.errno and error.errno > 0 else "no such address"
    raise ConfigurationError(f"{where}: cannot listen on {host}:{port}: {reason}")


def loopback_address(host: str) -> str:
    """Return one address of a host: a name may have several, each with a port of its own."""
    return "127.0.0.1" if host == "localhost" else host


def load_tls(settings: Tls, folder: Path) -> ssl.SSLContext:
    """Return the context of TLS 1.2 and newer."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        context.load_cert_chain(folder / settings.certificate, folder / settings.key)
    except ssl.SSLError:
        reason = "they are no certificate and its key in PEM form"
    except OSError as error:
        reason = (error.strerror or "they cannot be read").lower()
    else:
        return context
    raise ConfigurationError(f"gateway.tls: cannot use {settings.certificate!r} and {settings.key!r}: {reason}")


def raise_file_limit(connections: int) -> None:
    """Raise the limit of open files: each call holds one connection to its caller and one to upstream."""
    try:
        import resource
    except ImportError:  # not on this system
        return
    needed = 2 * connections + OTHER_FILES
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY or soft >= needed:
        return
    raised = needed if hard == resource.RLIM_INFINITY else min(needed, hard)
    resource.setrlimit(resource.RLIMIT_NOFILE, (raised, hard))
    if raised < needed:
        LOG.warning(
            "the system allows %d open files; %d connections at a time may need %d", raised, connections, needed
        )
