"""The gateway's server: it binds its socket where the configuration says, and drains before it stops."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Callable, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from connector.aio.signals import handle_signals
from connector.aio.tasks import run_until_first
from connector.catalogue import Catalogue
from connector.config.models.gateway import Gateway as GatewaySettings
from connector.errors import ConfigurationError, ConnectorError
from connector.gateway.budget_warnings import BudgetWarnings
from connector.gateway.connection import ConnectionServer, Timeouts
from connector.gateway.direct_calls import DirectCalls
from connector.gateway.factory import Accounts, Clocks, build_gateway
from connector.gateway.handler import Gateway
from connector.gateway.listener import Listener, bind_address, load_tls, loopback_address, raise_file_limit
from connector.gateway.shared_counters import SharedCounters
from connector.gateway.shared_pauses import SharedPauses
from connector.gateway.webhooks import WebhookReceiver
from connector.http import Client
from connector.pipeline import Runtime

__all__ = ["GatewayServer", "WorkerPlace", "bind_gateway", "serve_until_stopped"]

SHUTDOWN_SECONDS = 0.05


@dataclass(frozen=True, slots=True)
class WorkerPlace:
    """What one of several workers shares with the others.

    Attributes:
        bound: the socket that all of them listen on.
        workers: how many there are.
        accounts: who may call, with limits in shared memory.
        counters: of all of them.
        pauses: of their clients.
    """

    bound: socket.socket
    workers: int
    accounts: Accounts
    counters: SharedCounters
    pauses: SharedPauses


async def bind_gateway(settings: GatewaySettings, port: int | None = None) -> socket.socket:
    """Return the socket of a gateway, bound where its settings say; to another port if one is given."""
    at = settings.port if port is None else port
    return await bind_address(loopback_address(settings.host), at, "gateway.listen")


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
        place: what this process shares with other workers of the gateway, if there are any.
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
        place: WorkerPlace | None = None,
    ) -> None:
        self._runtime = runtime
        self._settings = runtime.configuration.gateway
        self._port = self._settings.port if port is None else port
        self._administrator = administrator
        self._catalogue = catalogue or Catalogue.open(None)
        self._clocks = clocks or Clocks()
        self._timeouts = timeouts or Timeouts()
        self._receivers = receivers or {}
        self._place = place
        self._stack = AsyncExitStack()
        self.url = ""
        """Where it listens."""
        self.gateway: Gateway
        self.warnings: BudgetWarnings
        self.server: ConnectionServer
        self.not_ready: dict[str, str] = {}
        """The clients that cannot call, and why."""

    async def __aenter__(self) -> Self:
        settings = self._settings
        if not settings.active_tokens and not (settings.loopback and self._administrator):
            raise ConfigurationError("gateway.tokens: no token is in force, so every call would be refused")
        tls = load_tls(settings.tls, self._runtime.configuration.folder) if settings.tls else None
        raise_file_limit(settings.connections)
        place = self._place
        bound = await bind_gateway(settings, self._port) if place is None else place.bound
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
            accounts=self._place.accounts if self._place is not None else None,
            shared=self._place.counters if self._place is not None else None,
        )
        clients: dict[str, Client] = {}
        for name in self._runtime.configuration.clients:
            try:
                clients[name] = self._runtime.client(name)
            except ConnectorError as error:
                self.not_ready[name] = str(error)
        self.warnings = BudgetWarnings(self._runtime, self.gateway.callers)
        self._stack.push_async_callback(self.warnings.close)
        workers = self._place.workers if self._place is not None else 1
        self.server = ConnectionServer(
            self.gateway.handle,
            connections=-(-self._settings.connections // workers),
            per_address=-(-self._settings.most_of_one_address // workers),
            timeouts=self._timeouts,
        )
        self.server.begin_direct = DirectCalls(self.gateway).begin
        listener = Listener(self.server, bound, tls)
        if self._place is None:
            budget_file.start()
            self._stack.push_async_callback(budget_file.close)
        else:
            self._place.counters.start(self.gateway.counters, lambda: self.gateway.in_flight)
            self._stack.callback(self._place.counters.stop)
            self._place.pauses.start(clients)
            self._stack.callback(self._place.pauses.stop)
        self.gateway.usage_log.start()
        self._stack.push_async_callback(self.gateway.usage_log.close)
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
