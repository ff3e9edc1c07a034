"""`serve`: the gateway, an authenticating proxy before the configured clients, alone or with the routes."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from typer import Argument, Exit, Option

from connector.cli.curl import GATEWAY_TOKEN
from connector.cli.exit_codes import ExitCode
from connector.cli.garbage import infrequent_collection
from connector.cli.options import Config, Entities, catalogue_folder, configuration_at, open_catalogue
from connector.cli.output import print_command, print_document, say
from connector.errors import ConfigurationError
from connector.extras import require_extra

if TYPE_CHECKING:
    from connector.catalogue import Catalogue
    from connector.config import Configuration
    from connector.gateway.webhooks import WebhookReceiver
    from connector.intake.receivers import Receiver
    from connector.pipeline import Runtime
    from connector.runtime.runner import Runner

__all__ = ["Routes", "find_administrator", "gateway_token", "open_routes", "serve"]

TOKEN_BYTES = 32


class Proxy(StrEnum):
    """Other proxies that can do a part of the gateway's work."""

    nginx = "nginx"
    envoy = "envoy"


def serve(
    config: Config = None,
    port: Annotated[
        int | None,
        Option("--port", min=0, max=65535, help="The port instead of the configured one; 0 chooses a free one."),
    ] = None,
    export: Annotated[
        Proxy | None,
        Option("--export", metavar="nginx|envoy", help="Print a configuration for that proxy instead of serving."),
    ] = None,
    routes: Annotated[
        bool, Option("--routes", help="Also run the routes in this process, and receive webhooks for them.")
    ] = False,
    folder: Entities = None,
) -> None:
    """Serve the gateway, which forwards calls through the configured clients, with their credentials and limits."""
    from connector.pipeline import load_configuration

    source = configuration_at(config)
    configuration = load_configuration(source)
    if export is not None:
        if routes:
            raise ConfigurationError("--export prints a configuration and runs nothing: leave out --routes")
        _print_export(configuration, export, port, catalogue_folder(folder, config))
        return
    whole = asyncio.run(_serve(source, configuration, port, catalogue_folder(folder, config), routes=routes))
    raise Exit(ExitCode.DONE if whole else ExitCode.UNKNOWN)


def gateway_token(
    name: Annotated[str, Argument(metavar="NAME", help="The name of the token's owner.")],
) -> None:
    """Create a gateway token: print the token, which is shown only once, and its entry for the configuration."""
    from secrets import token_urlsafe

    from connector.config.models.gateway import hash_token

    token = f"gw-{token_urlsafe(TOKEN_BYTES)}"
    print_document({"token": token, "gateway": {"tokens": {name: {"hash": hash_token(token)}}}})


def _print_export(configuration: Configuration, proxy: Proxy, port: int | None, folder: Path | None) -> None:
    from connector.gateway.export import export_proxy_config

    print_command(export_proxy_config(configuration, proxy.value, open_catalogue(configuration, folder), port))


async def _serve(
    source: Path, configuration: Configuration, port: int | None, folder: Path | None, *, routes: bool
) -> bool:
    from connector.cli.run_output import warn_of_receivers
    from connector.pipeline import Runtime
    from connector.telemetry.logs import configure_logging

    catalogue = open_catalogue(configuration, folder)
    administrator = find_administrator(configuration)
    redactor = configuration.redactor()
    if administrator:
        redactor.learn([administrator])
    undo = configure_logging(configuration.telemetry.logs, redactor)
    try:
        async with Runtime(configuration, catalogue=catalogue) as runtime:
            runtime.redact.pass_on_to(redactor)
            if not routes:
                warn_of_receivers(configuration, configuration.routes)
                return await _listen(source, runtime, port, catalogue, administrator)
            async with open_routes(runtime) as at_work:
                served = _listen(source, runtime, port, catalogue, administrator, at_work.receivers)
                return await at_work.beside(served)
    finally:
        undo()


async def _listen(
    source: Path,
    runtime: Runtime,
    port: int | None,
    catalogue: Catalogue,
    administrator: str | None,
    receivers: Mapping[str, WebhookReceiver] | None = None,
) -> bool:
    from connector.gateway import GatewayServer
    from connector.gateway.server import serve_until_stopped

    configuration = runtime.configuration
    server = GatewayServer(runtime, port=port, administrator=administrator, catalogue=catalogue, receivers=receivers)
    async with server:
        _greet(server.url, configuration, server.not_ready)
        for path in receivers or ():
            say(f"  webhooks: {server.url}{path}")
        async with _studio_beside(source, configuration, server.gateway.render_metrics):
            with infrequent_collection():
                return await serve_until_stopped(server, configuration.gateway.grace, say)


@asynccontextmanager
async def _studio_beside(
    source: Path, configuration: Configuration, metrics: Callable[[], bytes]
) -> AsyncGenerator[None]:
    """Also serve the studio within this context, if `studio.serve` says so."""
    if not configuration.studio.serve:
        yield
        return
    require_extra("fastapi", "studio", "studio.serve")
    from connector.studio.server import open_studio

    async with open_studio(source, configuration) as studio:
        studio.context.gateway_metrics = metrics
        say(f"  studio: {studio.link()}")
        yield


def find_administrator(configuration: Configuration) -> str | None:
    """Return the administrator's token: that of the environment, or one for this run if there are no tokens."""
    from secrets import token_urlsafe

    given = os.environ.get(GATEWAY_TOKEN, "").strip()
    if given or configuration.gateway.active_tokens:
        return given or None
    if not configuration.gateway.loopback:
        return None
    made = f"gw-{token_urlsafe(TOKEN_BYTES)}"
    say(f"no gateway.tokens are declared; this one holds for this run, on this machine: {made}")
    return made


def _greet(url: str, configuration: Configuration, not_ready: dict[str, str]) -> None:
    if not configuration.clients:
        raise ConfigurationError("the configuration declares no clients, so no call can be forwarded")
    for name, reason in not_ready.items():
        say(f"the client {name} cannot call: {reason}")
    say(f"listening on {url}")
    for name in configuration.clients:
        if name not in not_ready:
            say(f"  {name}: base URL {url}/{name}/v1")
    for origin in configuration.gateway.origins:
        say(f"  pages of {origin} may call, with tokens from POST {url}/page-tokens")


SQLITE = "sqlite:"


@dataclass(frozen=True)
class Routes:
    """The routes that run beside the gateway."""

    runner: Runner
    receivers: Mapping[str, Receiver]

    async def beside(self, serving: Awaitable[bool]) -> bool:
        """Run until serving ends or the routes fail; return whether everything ended cleanly."""
        from connector.aio.tasks import cancel_all

        running, served = asyncio.ensure_future(self.runner.run()), asyncio.ensure_future(serving)
        try:
            await asyncio.wait((running, served), return_when=asyncio.FIRST_COMPLETED)
            if running.done():
                await running  # raises what stopped them
            self.runner.stop("with the gateway")
            whole = await served
            await running
            return whole
        finally:
            await cancel_all(running, served)


@asynccontextmanager
async def open_routes(runtime: Runtime) -> AsyncGenerator[Routes]:
    """Open all routes of a configuration and their store, and close them at the end."""
    from connector.engine import open_store
    from connector.runtime.plan import Plan
    from connector.runtime.preflight import check_engine, check_routes
    from connector.runtime.runner import Runner
    from connector.telemetry.otlp import make_observer

    configuration = runtime.configuration
    plan = Plan.of(configuration, ())
    store = await open_store(configuration.engine_url)
    observer = make_observer(
        configuration.telemetry,
        configuration.currency,
        runtime.redact,
    )
    try:
        await check_engine(store, configuration, plan.routes)
        await check_routes(store, configuration, plan.routes)
        fleet = not configuration.engine_url.startswith(SQLITE)
        runner = Runner(runtime, store, plan, observer=observer, fleet=fleet, grace=configuration.gateway.grace)
        yield Routes(runner, runner.receivers())
    finally:
        observer.close()
        await store.close()
