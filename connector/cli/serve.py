"""`serve`: the gateway, an authenticating proxy before the configured clients, alone or with the routes."""

from __future__ import annotations

import asyncio
import os
import signal
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
    from connector.gateway.server import WorkerPlace
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
    workers: Annotated[
        int,
        Option("--workers", min=1, max=64, help="Processes that share the address, the limits and the budgets."),
    ] = 1,
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
    entities = catalogue_folder(folder, config)
    administrator = find_administrator(configuration)
    if workers > 1:
        if routes:
            raise ConfigurationError("--workers and --routes: run the routes in a process of their own, by `run`")
        whole = _serve_workers(source, configuration, port, entities, administrator, workers)
    else:
        whole = asyncio.run(_serve(source, configuration, port, entities, administrator, routes=routes))
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


def _serve_workers(
    source: Path,
    configuration: Configuration,
    port: int | None,
    folder: Path | None,
    administrator: str | None,
    number: int,
) -> bool:
    """Serve with several processes, of which this one only watches the others."""
    if not hasattr(os, "fork"):
        raise ConfigurationError("--workers: this system cannot fork processes; start one gateway, without workers")
    _check_clients(configuration)
    from connector.cli.workers import Workers
    from connector.gateway import bind_gateway
    from connector.gateway.worker_accounts import WorkerAccounts

    accounts = WorkerAccounts(configuration, open_catalogue(configuration, folder), number, administrator)
    bound = asyncio.run(bind_gateway(configuration.gateway, port))

    def work(worker: int) -> int:
        place = accounts.take_place(worker, bound)
        beside = Beside(place, accounts.note_ready, workers.alive, is_first=worker == 1)
        whole = asyncio.run(_serve(source, configuration, port, folder, administrator, routes=False, beside=beside))
        return ExitCode.DONE if whole else ExitCode.UNKNOWN

    workers = Workers(number, work, is_ready=accounts.is_ready, lost=accounts.give_up, tick=accounts.save)
    code = workers.run()
    if code not in (ExitCode.DONE, ExitCode.UNKNOWN):
        raise Exit(code)
    return code == ExitCode.DONE


@dataclass(frozen=True)
class Beside:
    """What a worker has to do with the others.

    Attributes:
        place: what it shares with them.
        ready: is called when it takes calls.
        alive: a file descriptor that ends when the process that started the workers does.
        is_first: whether it speaks for all of them.
    """

    place: WorkerPlace
    ready: Callable[[], None]
    alive: int
    is_first: bool


async def _serve(
    source: Path,
    configuration: Configuration,
    port: int | None,
    folder: Path | None,
    administrator: str | None,
    *,
    routes: bool,
    beside: Beside | None = None,
) -> bool:
    from connector.cli.run_output import warn_of_receivers
    from connector.fleet import open_shares
    from connector.pipeline import Runtime
    from connector.telemetry.logs import configure_logging

    catalogue = open_catalogue(configuration, folder)
    redactor = configuration.redactor()
    if administrator:
        redactor.learn([administrator])
    undo = configure_logging(configuration.telemetry.logs, redactor)
    try:
        async with (
            open_shares(configuration.engine_url) as shares,
            Runtime(configuration, catalogue=catalogue, shares=shares) as runtime,
        ):
            runtime.redact.pass_on_to(redactor)
            if not routes:
                if beside is None or beside.is_first:
                    warn_of_receivers(configuration, configuration.routes)
                return await _listen(source, runtime, port, catalogue, administrator, beside=beside)
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
    beside: Beside | None = None,
) -> bool:
    from connector.gateway import GatewayServer
    from connector.gateway.server import serve_until_stopped

    configuration = runtime.configuration
    server = GatewayServer(
        runtime,
        port=port,
        administrator=administrator,
        catalogue=catalogue,
        receivers=receivers,
        place=beside.place if beside is not None else None,
    )
    async with server:
        if beside is not None:
            _stop_with(beside.alive)
            beside.ready()
            if not beside.is_first:
                with infrequent_collection():
                    return await serve_until_stopped(server, configuration.gateway.grace, say)
        _greet(server.url, configuration, server.not_ready)
        for path in receivers or ():
            say(f"  webhooks: {server.url}{path}")
        async with _studio_beside(source, configuration, server.gateway.render_metrics):
            with infrequent_collection():
                return await serve_until_stopped(server, configuration.gateway.grace, say)


def _stop_with(alive: int) -> None:
    """Stop gently when the process at the other end of a pipe has ended."""
    loop = asyncio.get_running_loop()

    def stop() -> None:
        loop.remove_reader(alive)
        os.kill(os.getpid(), signal.SIGTERM)

    loop.add_reader(alive, stop)


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


def _check_clients(configuration: Configuration) -> None:
    if not configuration.clients:
        raise ConfigurationError("the configuration declares no clients, so no call can be forwarded")


def _greet(url: str, configuration: Configuration, not_ready: dict[str, str]) -> None:
    _check_clients(configuration)
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
