"""The gateway on its socket: bound where the configuration says, drained before it ends."""

from __future__ import annotations

import errno
import os
import socket
import ssl
from collections.abc import Awaitable, Mapping
from contextlib import AsyncExitStack
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self

from aiohttp import web

from connector.catalogue import Catalogue
from connector.errors import ConfigurationError, ConnectorError
from connector.gateway.accepting import Acceptor, bound
from connector.gateway.connection import Server
from connector.gateway.descriptors import make_room
from connector.gateway.making import Clocks, gateway_of
from connector.gateway.patience import Patience
from connector.gateway.webhooks import Hooks, Receives

if TYPE_CHECKING:
    from connector.config.models.gateway import Gateway as Settings
    from connector.config.models.gateway import Tls
    from connector.gateway.gateway import Gateway
    from connector.pipeline import Runtime

__all__ = ["Listening"]

MOMENT = 0.05


class Listening:
    """A gateway that takes calls while it is entered.

    Args:
        runtime: a configuration at work; its clients are shared with whatever else runs on it.
        port: in place of the configured one; 0 takes any.
        administrator: a token for everything, known on this machine only.
        catalogue: says what paths mean; the one that ships with the connector unless given.
        clocks: what time it is.
        patience: how long callers may take.
        receivers: what receives webhooks, by the path that they are sent to.
    """

    def __init__(
        self,
        runtime: Runtime,
        *,
        port: int | None = None,
        administrator: str | None = None,
        catalogue: Catalogue | None = None,
        clocks: Clocks | None = None,
        patience: Patience | None = None,
        receivers: Mapping[str, Receives] | None = None,
    ) -> None:
        self._runtime = runtime
        self._settings: Settings = runtime.configuration.gateway
        self._asked = self._settings.port if port is None else port
        self._administrator = administrator
        self._catalogue = catalogue or Catalogue.open(None)
        self._clocks = clocks or Clocks()
        self._patience = patience or Patience()
        self._receivers = receivers
        self._open = AsyncExitStack()
        self.url = ""
        """Where it listens."""
        self.gateway: Gateway
        self.server: Server
        self.not_ready: dict[str, str] = {}
        """The clients that cannot call, and why."""

    async def __aenter__(self) -> Self:
        settings = self._settings
        if not settings.active_tokens and not (settings.loopback and self._administrator):
            raise ConfigurationError("gateway.tokens: there is no token in force, so that nobody could call")
        context = _tls(settings.tls, self._runtime.configuration.folder) if settings.tls else None
        make_room(settings.connections)
        self.server = server = Server(
            self._handle,
            most=settings.connections,
            most_of_one=settings.most_of_one_address,
            patience=self._patience,
        )
        acceptor = Acceptor(server, await _bound(_address(settings), self._asked), context)
        try:
            self._begin(acceptor, secure=context is not None)
        except BaseException:
            acceptor.close()
            raise
        self._open.push_async_callback(server.shutdown, MOMENT)
        self._open.callback(server.pre_shutdown)
        self._open.callback(acceptor.close)
        acceptor.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._open.aclose()

    async def drain(self, grace: float) -> int:
        """Lets calls under way come to their end and takes no new ones; returns how many did not in time."""
        await self.gateway.drain(grace)
        return self.gateway.in_flight

    def _begin(self, acceptor: Acceptor, *, secure: bool) -> None:
        host, port = acceptor.address
        shown = f"[{host}]" if ":" in host else host
        self.url = f"{'https' if secure else 'http'}://{shown}:{port}"
        self.gateway, book = gateway_of(
            self._runtime,
            (shown, port),
            administrator=self._administrator,
            catalogue=self._catalogue,
            clocks=self._clocks,
            still=self._patience.still,
        )
        if self._receivers:
            self.gateway.hooks = Hooks(self._receivers, self._patience.still)
        self._open.push_async_callback(book.close)
        for name in self._runtime.configuration.clients:
            try:
                self._runtime.client(name)
            except ConnectorError as error:
                self.not_ready[name] = str(error)

    def _handle(self, request: web.BaseRequest) -> Awaitable[web.StreamResponse]:
        return self.gateway(request)


async def _bound(host: str, port: int) -> socket.socket:
    """A socket that is bound and does not yet take calls."""
    try:
        return await bound(host, port)
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            reason = "something else listens there; choose another port with --port"
        else:
            reason = os.strerror(error.errno).lower() if error.errno and error.errno > 0 else "no such address"
    raise ConfigurationError(f"gateway.listen: cannot listen on {host}:{port}: {reason}")


def _address(settings: Settings) -> str:
    """One address: a name may stand for several, each with a port of its own."""
    return "127.0.0.1" if settings.host == "localhost" else settings.host


def _tls(settings: Tls, folder: Path) -> ssl.SSLContext:
    """What callers see; TLS 1.2 and newer."""
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
