"""`serve`: the gateway, an authenticating proxy in front of the configured clients."""

from __future__ import annotations

import asyncio
import gc
import os
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from typer import Argument, Exit, Option

from connector.cli.config import Config, configuration_at
from connector.cli.exit_codes import ExitCode
from connector.cli.options import Entities, catalogue_folder
from connector.cli.output import print_command, print_document, say
from connector.cli.raw import GATEWAY_TOKEN
from connector.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from connector.config import Configuration
    from connector.connections import Runtime
    from connector.gateway.webhooks import Receives

__all__ = ["gateway_token", "serve"]

TOKEN_BYTES = 32


class Proxy(StrEnum):
    """Who can do a part of the gateway's work."""

    nginx = "nginx"
    envoy = "envoy"


COLLECTED_AFTER = 20_000
"""So many new objects, a hundred calls' or so, before unreachable ones are looked for."""


def serve(
    config: Config = None,
    port: Annotated[
        int | None, Option("--port", min=0, max=65535, help="In place of the configured one; 0: any.")
    ] = None,
    export: Annotated[
        Proxy | None,
        Option("--export", metavar="nginx|envoy", help="Do not serve: print a configuration of that proxy."),
    ] = None,
    routes: Annotated[
        bool, Option("--routes", help="Run the routes in this process as well, and receive webhooks for them.")
    ] = False,
    folder: Entities = None,
) -> None:
    """Pass calls on to the configured clients, with their credentials, limits and waits."""
    from connector.connections import load_configuration

    configuration = load_configuration(configuration_at(config))
    if export is not None:
        if routes:
            raise ConfigurationError("--export prints a configuration and runs nothing: leave out --routes")
        _print_export(configuration, export, port, catalogue_folder(folder))
        return
    whole = asyncio.run(_serve(configuration, port, catalogue_folder(folder), routes=routes))
    raise Exit(ExitCode.DONE if whole else ExitCode.UNKNOWN)


def gateway_token(
    name: Annotated[str, Argument(metavar="NAME", help="Whose token it is.")],
) -> None:
    """Make a gateway token: the token itself, shown this once, and the entry that makes it known."""
    from secrets import token_urlsafe

    from connector.config.serving import hashed

    token = f"gw-{token_urlsafe(TOKEN_BYTES)}"
    print_document({"token": token, "gateway": {"tokens": {name: {"hash": hashed(token)}}}})


def _print_export(configuration: Configuration, proxy: Proxy, port: int | None, folder: Path | None) -> None:
    from connector.catalogue import Catalogue
    from connector.gateway.export import exported

    print_command(exported(configuration, proxy.value, Catalogue.open(folder), port))


async def _serve(configuration: Configuration, port: int | None, folder: Path | None, *, routes: bool) -> bool:
    from connector.cli.serve_routes import routes_of, warn_of_webhooks
    from connector.connections import Runtime
    from connector.telemetry.logs import configure_logging

    administrator = _administrator(configuration)
    redactor = configuration.redactor()
    if administrator:
        redactor.learn([administrator])
    undo = configure_logging(configuration.telemetry.logs, redactor)
    try:
        async with Runtime(configuration) as runtime:
            if not routes:
                warn_of_webhooks(runtime)
                return await _listened(runtime, port, folder, administrator)
            async with routes_of(runtime) as at_work:
                return await at_work.beside(_listened(runtime, port, folder, administrator, at_work.receivers))
    finally:
        undo()


async def _listened(
    runtime: Runtime,
    port: int | None,
    folder: Path | None,
    administrator: str | None,
    receivers: Mapping[str, Receives] | None = None,
) -> bool:
    from connector.catalogue import Catalogue
    from connector.gateway import Listening
    from connector.gateway.serving import serve as served

    configuration, catalogue = runtime.configuration, Catalogue.open(folder)
    listening = Listening(runtime, port=port, administrator=administrator, catalogue=catalogue, receivers=receivers)
    async with listening:
        _greet(listening.url, configuration, listening.not_ready)
        for path in receivers or ():
            say(f"  webhooks: {listening.url}{path}")
        gc.freeze()  # what was made until now stays: nobody need look through it again
        gc.set_threshold(COLLECTED_AFTER)
        return await served(listening, configuration.gateway.grace, say)


def _administrator(configuration: Configuration) -> str | None:
    """The token for everything on this machine: the environment's, or one for this run when nobody else has any."""
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
        raise ConfigurationError("the configuration declares no clients, so there is nobody to pass calls on to")
    for name, reason in not_ready.items():
        say(f"the client {name} cannot call: {reason}")
    say(f"listening on {url}")
    for name in configuration.clients:
        if name not in not_ready:
            say(f"  {name}: base URL {url}/{name}/v1")
