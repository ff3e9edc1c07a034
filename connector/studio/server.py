"""The studio's server: uvicorn on a socket that is bound first, so that what is wrong is a sentence."""

from __future__ import annotations

import asyncio
import errno
import logging
import os
import socket
from collections.abc import AsyncGenerator, Generator
from contextlib import asynccontextmanager, contextmanager
from ipaddress import ip_address
from pathlib import Path

import uvicorn

from connector.aio.tasks import cancel_all, run_until_first
from connector.config import Configuration
from connector.engine import StoreBroken, open_store
from connector.errors import ConfigurationError
from connector.gateway.listener import bind_socket
from connector.studio.app import create_app
from connector.studio.context import StudioContext
from connector.studio.examples import Examples
from connector.studio.watcher import Watcher

__all__ = ["Studio", "open_studio"]

GRACE = 2
"""Seconds for answers under way when it stops; streams of events end at once."""
BACKLOG = 256

log = logging.getLogger(__name__)


class _Server(uvicorn.Server):
    """A server whose signals are handled by whoever started it."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.listening = asyncio.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.listening.set()

    @contextmanager
    def capture_signals(self) -> Generator[None]:
        yield


class Studio:
    """A studio that listens.

    Attributes:
        url: where it listens.
        context: what its parts share.
    """

    def __init__(self, url: str, context: StudioContext) -> None:
        self.url = url
        self.context = context

    def link(self) -> str:
        """Return a link that signs in whoever opens it, once; the code is in the fragment, which no server sees."""
        return f"{self.url}/#code={self.context.sessions.make_code()}"


@asynccontextmanager
async def open_studio(
    source: Path, configuration: Configuration, *, host: str | None = None, port: int | None = None
) -> AsyncGenerator[Studio]:
    """Open the studio of a configuration: it answers until the end of the block.

    Args:
        source: the configuration's file or folder.
        configuration: what was read from it.
        host: the address instead of the configured one.
        port: the port instead of the configured one; 0 takes any.
    """
    settings = configuration.studio
    address = host or settings.host
    bound = await _bind("127.0.0.1" if address == "localhost" else address, settings.port if port is None else port)
    try:
        _check_reach(bound.getsockname()[0], configuration)
        store = await open_store(configuration.engine_url, role="admin")
    except BaseException:
        bound.close()
        raise
    examples = Examples(lambda source, configuration: open_studio(source, configuration, port=0))
    try:
        context = StudioContext(
            source=source,
            configuration=configuration,
            store=store,
            origins=_origins(bound, configuration),
            examples=examples,
        )
        try:
            await context.published.resume(configuration)
            async with _serving(bound, context):
                yield Studio(context.origins[0], context)
        finally:
            await context.close()
    finally:
        await examples.close()
        await store.close()


@asynccontextmanager
async def _serving(bound: socket.socket, context: StudioContext) -> AsyncGenerator[None]:
    tls = context.configuration.studio.tls
    folder = context.configuration.folder
    config = uvicorn.Config(
        create_app(context),
        lifespan="off",
        loop="none",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        ws="none",
        backlog=BACKLOG,
        timeout_graceful_shutdown=GRACE,
        ssl_certfile=str(folder / tls.certificate) if tls else None,
        ssl_keyfile=str(folder / tls.key) if tls else None,
    )
    server = _Server(config)
    watching = asyncio.create_task(_watch(context))
    serving = asyncio.create_task(server.serve(sockets=[bound]))
    try:
        await run_until_first(server.listening.wait(), asyncio.shield(serving))
        yield
    finally:
        await cancel_all(watching)
        context.events.close()
        server.should_exit = True
        await serving


async def _watch(context: StudioContext) -> None:
    """Watch for as long as the store can be used; the pages say themselves that it cannot."""
    try:
        await Watcher(context).run()
    except StoreBroken as error:
        log.error("pages are not told what changes any more: %s", error)  # noqa: TRY400  a sentence says it


def _origins(bound: socket.socket, configuration: Configuration) -> tuple[str, ...]:
    """Return the addresses that the studio is reached by, the first one for links."""
    host, port = bound.getsockname()[:2]
    scheme = "http" if configuration.studio.tls is None else "https"
    shown = f"[{host}]" if ":" in host else host
    names = [shown, *(["localhost"] if ip_address(host).is_loopback else [])]
    own = [f"{scheme}://{name}:{port}" for name in names]
    return (*own, *(f"{scheme}://{name}" for name in configuration.studio.hosts))


def _check_reach(host: str, configuration: Configuration) -> None:
    """Refuse to listen for other machines without TLS and tokens."""
    settings = configuration.studio
    if ip_address(host).is_loopback or (settings.tls is not None and settings.active_tokens):
        return
    raise ConfigurationError(
        f"the studio cannot listen on {host}: other machines would reach it; declare studio.tls and studio.tokens, "
        "or listen on 127.0.0.1"
    )


async def _bind(host: str, port: int) -> socket.socket:
    try:
        return await bind_socket(host, port)
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            reason = "something else listens there; choose another port with --port"
        else:
            reason = os.strerror(error.errno).lower() if error.errno and error.errno > 0 else "no such address"
    raise ConfigurationError(f"the studio cannot listen on {host}:{port}: {reason}")
