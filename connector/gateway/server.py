"""The gateway's server: it binds its socket where the configuration says, and drains before it stops."""

from __future__ import annotations

import asyncio
import errno
import os
import socket
import ssl
from collections.abc import Callable, Mapping
from contextlib import AsyncExitStack
from pathlib import Path
from types import TracebackType
from typing import Self

from connector.aio.signals import handle_signals
from connector.aio.tasks import run_until_first
from connector.catalogue import Catalogue
from connector.config.models.gateway import Gateway as GatewaySettings
from connector.config.models.gateway import Tls
from connector.errors import ConfigurationError, ConnectorError
from connector.gateway.access_log import LOG
from connector.gateway.connection import ConnectionServer, Timeouts
from connector.gateway.factory import Clocks, build_gateway
from connector.gateway.handler import Gateway
from connector.gateway.listener import Listener, bind_socket
from connector.gateway.webhooks import WebhookReceiver
from connector.pipeline import Runtime

__all__ = ["GatewayServer", "serve_until_stopped"]

SHUTDOWN_SECONDS = 0.05
OTHER_FILES = 128
"""Open files beside those of connections."""


class GatewayServer:
    """A gateway that takes requests while it is entered.

    Args:
        runtime: an open configuration; its clients are shared with whatever else uses it.
        port: replaces the configured one; 0 takes any.
        administrator: a token for everything, valid on this machine only.
        catalogue: says what paths mean; the one that ships with the connector unless given.
        clocks: monotonic and wall time.
        timeouts: how long callers may take.
        receivers: what receives webhooks, by path.
    """

    def __init__(
        self,
        runtime: Runtime,
        *,
        port: int | None = None,
        administrator: str | None = None,
        catalogue: Catalogue | None = None,
        clocks: Clocks | None = None,
        timeouts: Timeouts | None = None,
        receivers: Mapping[str, WebhookReceiver] | None = None,
    ) -> None:
        self._runtime = runtime
        self._settings = runtime.configuration.gateway
        self._port = self._settings.port if port is None else port
        self._administrator = administrator
        self._catalogue = catalogue or Catalogue.open(None)
        self._clocks = clocks or Clocks()
        self._timeouts = timeouts or Timeouts()
        self._receivers = receivers or {}
        self._stack = AsyncExitStack()
        self.url = ""
        """Where it listens."""
        self.gateway: Gateway
        self.server: ConnectionServer
        self.not_ready: dict[str, str] = {}
        """The clients that cannot call, and why."""

    async def __aenter__(self) -> Self:
        settings = self._settings
        if not settings.active_tokens and not (settings.loopback and self._administrator):
            raise ConfigurationError("gateway.tokens: no token is in force, so every call would be refused")
        tls = _load_tls(settings.tls, self._runtime.configuration.folder) if settings.tls else None
        _raise_file_limit(settings.connections)
        bound = await _bind(_host(settings), self._port)
        try:
            self._open(bound, tls)
        except BaseException:
            bound.close()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._stack.aclose()

    async def drain(self, grace: float) -> int:
        """Let calls under way end and take no new ones; return how many did not end in time."""
        await self.gateway.drain(grace)
        return self.gateway.in_flight

    def _open(self, bound: socket.socket, tls: ssl.SSLContext | None) -> None:
        host, port = bound.getsockname()[:2]
        shown = f"[{host}]" if ":" in host else str(host)
        self.url = f"{'http' if tls is None else 'https'}://{shown}:{port}"
        self.gateway, budget_file = build_gateway(
            self._runtime,
            (shown, port),
            administrator=self._administrator,
            catalogue=self._catalogue,
            clocks=self._clocks,
            idle=self._timeouts.idle,
            receivers=self._receivers,
        )
        for name in self._runtime.configuration.clients:
            try:
                self._runtime.client(name)
            except ConnectorError as error:
                self.not_ready[name] = str(error)
        self.server = ConnectionServer(
            self.gateway.handle,
            connections=self._settings.connections,
            per_address=self._settings.most_of_one_address,
            timeouts=self._timeouts,
        )
        listener = Listener(self.server, bound, tls)
        budget_file.start()
        self._stack.push_async_callback(budget_file.close)
        self._stack.push_async_callback(self.server.shutdown, SHUTDOWN_SECONDS)
        self._stack.callback(self.server.pre_shutdown)
        self._stack.callback(listener.close)
        listener.start()


async def serve_until_stopped(server: GatewayServer, grace: float, say: Callable[[str], None]) -> bool:
    """Serve until the first signal; a second one ends the wait for calls under way.

    Args:
        server: a gateway that was entered.
        grace: seconds that calls under way may go on.
        say: prints a line for the operator.

    Returns:
        Whether every call has ended.
    """
    stop, hurry = asyncio.Event(), asyncio.Event()
    with handle_signals(lambda _: stop.set(), lambda _: hurry.set()):
        await stop.wait()
        in_flight = server.gateway.in_flight
        if in_flight:
            calls = f"{in_flight} call{'' if in_flight == 1 else 's'} under way"
            say(f"stopping: {calls} may go on for {grace:g} s; stop again to break off")
        await run_until_first(server.drain(grace), hurry.wait())
    return not server.gateway.in_flight


async def _bind(host: str, port: int) -> socket.socket:
    try:
        return await bind_socket(host, port)
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            reason = "something else listens there; choose another port with --port"
        else:
            reason = os.strerror(error.errno).lower() if error.errno and error.errno > 0 else "no such address"
    raise ConfigurationError(f"gateway.listen: cannot listen on {host}:{port}: {reason}")


def _host(settings: GatewaySettings) -> str:
    """Return one address: a name may have several, each with a port of its own."""
    return "127.0.0.1" if settings.host == "localhost" else settings.host


def _load_tls(settings: Tls, folder: Path) -> ssl.SSLContext:
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


def _raise_file_limit(connections: int) -> None:
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
