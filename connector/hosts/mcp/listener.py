"""Where the server listens: as the gateway does, on this machine or with a certificate and tokens."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncGenerator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

from connector.aio.signals import handle_signals
from connector.aio.tasks import run_until_first
from connector.config.models.gateway import MCP_SPENDING_FILE, is_loopback
from connector.errors import ConfigurationError
from connector.gateway.budget_warnings import BudgetWarnings
from connector.gateway.connection import ConnectionServer, Timeouts
from connector.gateway.factory import Clocks, build_accounts, build_host_names
from connector.gateway.listener import Listener, bind_address, load_tls, loopback_address, raise_file_limit
from connector.hosts.mcp.http import PATH, McpHandler
from connector.hosts.mcp.open import Opened

__all__ = ["Listening", "listen", "parse_address", "serve_until_stopped"]

ADDRESS = re.compile(r"(\[[0-9a-fA-F:.]+\]|[^\s:\[\]/]+):(\d{1,5})")
SHUTDOWN_SECONDS = 0.05


@dataclass(frozen=True, slots=True)
class Listening:
    """A server that takes requests.

    Attributes:
        url: where it does.
    """

    url: str
    handler: McpHandler


def parse_address(text: str) -> tuple[str, int]:
    """Return the host and the port of an address; a port alone is one of this machine."""
    found = ADDRESS.fullmatch(text if ":" in text else f"127.0.0.1:{text}")
    if found is None or int(found[2]) > 65535:
        raise ConfigurationError(
            f"--http: found {text[:60]!r}; an address and a port such as 127.0.0.1:8790 are allowed"
        )
    return found[1].strip("[]"), int(found[2])


@asynccontextmanager
async def listen(
    opened: Opened, address: tuple[str, int], administrator: str | None, timeouts: Timeouts | None = None
) -> AsyncGenerator[Listening]:
    """Listen at an address until this is left.

    Args:
        administrator: a token for everything, valid on this machine only.
    """
    configuration, timeouts = opened.runtime.configuration, timeouts or Timeouts()
    settings, (host, port) = configuration.gateway, address
    is_local = is_loopback(host)
    if not is_local and (settings.tls is None or not settings.active_tokens):
        raise ConfigurationError(
            f"--http: {host} can be reached from elsewhere: gateway.tls and gateway.tokens are needed"
        )
    if not settings.active_tokens and not administrator:
        raise ConfigurationError("gateway.tokens: no token is in force, so every call would be refused")
    tls = load_tls(settings.tls, configuration.folder) if settings.tls else None
    raise_file_limit(settings.connections)
    callers, accounting, budget_file = build_accounts(
        configuration, opened.catalogue, MCP_SPENDING_FILE, clocks=Clocks(), administrator=administrator
    )
    bound = await bind_address(loopback_address(host), port, "--http")
    async with AsyncExitStack() as stack:
        stack.callback(bound.close)
        name, number = bound.getsockname()[:2]
        shown = f"[{name}]" if ":" in name else str(name)
        hosts = build_host_names(configuration, (shown, number), is_loopback=is_local)
        handler = McpHandler(opened.server, hosts, callers, accounting, timeouts.idle)
        server = ConnectionServer(
            handler.handle,
            connections=settings.connections,
            per_address=settings.most_of_one_address,
            timeouts=timeouts,
        )
        listener = Listener(server, bound, tls)
        stack.push_async_callback(BudgetWarnings(opened.runtime, callers).close)
        budget_file.start()
        stack.push_async_callback(budget_file.close)
        stack.push_async_callback(server.shutdown, SHUTDOWN_SECONDS)
        stack.callback(server.pre_shutdown)
        stack.callback(listener.close)
        listener.start()
        yield Listening(f"{'http' if tls is None else 'https'}://{shown}:{number}{PATH}", handler)


async def serve_until_stopped(listening: Listening, grace: float, say: Callable[[str], None]) -> bool:
    """Serve until the first signal; a second one ends the wait for calls under way; return whether all have ended."""
    stop, hurry = asyncio.Event(), asyncio.Event()
    handler = listening.handler
    with handle_signals(lambda _: stop.set(), lambda _: hurry.set()):
        await stop.wait()
        if handler.under_way:
            say(f"stopping: calls under way may go on for {grace:g} s; stop again to break off")
        await run_until_first(handler.drain(grace), hurry.wait())
        return not await handler.drain(0.0)
