"""`mcp`: a server of the Model Context Protocol, on a pipe or over HTTP."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from typer import Exit, Option

from connector.cli.exit_codes import ExitCode
from connector.cli.options import Config, Entities, catalogue_folder, configuration_at, open_catalogue
from connector.cli.output import say

if TYPE_CHECKING:
    from connector.config import Configuration
    from connector.hosts.mcp.open import Opened

__all__ = ["mcp"]

GRACE = 30.0
"""Seconds that calls under way may go on when their client has gone."""


def mcp(
    config: Config = None,
    http: Annotated[
        str | None,
        Option("--http", metavar="HOST:PORT", help="Serve over HTTP, at /mcp, instead of standard input and output."),
    ] = None,
    folder: Entities = None,
) -> None:
    """Offer the configuration to MCP clients: connections and operations as tools, with resources and prompts."""
    from connector.pipeline import load_configuration

    configuration = load_configuration(configuration_at(config))
    whole = asyncio.run(_serve(configuration, http, catalogue_folder(folder, config)))
    raise Exit(ExitCode.DONE if whole else ExitCode.UNKNOWN)


async def _serve(configuration: Configuration, http: str | None, folder: Path | None) -> bool:
    from connector.hosts.mcp.open import open_server
    from connector.pipeline import Runtime
    from connector.telemetry.logs import configure_logging

    undo = configure_logging(configuration.telemetry.logs, configuration.redactor())
    try:
        catalogue = open_catalogue(configuration, folder)
        async with Runtime(configuration, catalogue=catalogue) as runtime, open_server(runtime, folder) as opened:
            if http is None:
                await _serve_pipe(opened)
                return True
            return await _listen(opened, http)
    finally:
        undo()


async def _listen(opened: Opened, address: str) -> bool:
    """Serve over HTTP until a signal; return whether every call has ended."""
    from connector.cli.serve import find_administrator
    from connector.hosts.mcp.listener import listen, parse_address, serve_until_stopped

    configuration = opened.runtime.configuration
    administrator = find_administrator(configuration)
    if configuration.mcp_engine_url is not None:
        await opened.calls()
    async with listen(opened, parse_address(address), administrator) as listening:
        say(f"listening on {listening.url}")
        _warn_of_nothing(opened)
        return await serve_until_stopped(listening, configuration.gateway.grace, say)


def _warn_of_nothing(opened: Opened) -> None:
    if not opened.server.invoker.tools:
        say("no tools are offered: name operations or outgoing connections under `mcp` of the configuration")


async def _serve_pipe(opened: Opened) -> None:
    """Serve until the client closes the pipe, or until a signal."""
    from connector.aio.signals import handle_signals
    from connector.hosts.mcp.stdio import PipeServer, claim_pipe, read_lines

    stopping = asyncio.Event()
    source, write = claim_pipe()
    pipe = PipeServer(opened.server, write)
    read_lines(source, pipe.take, stopping.set)
    warm = asyncio.create_task(_open_engine(opened, pipe.listed))
    with handle_signals(lambda _: stopping.set(), None):
        await stopping.wait()
        await pipe.finish(GRACE)
    warm.cancel()
    await asyncio.gather(warm, return_exceptions=True)
    _warn_of_nothing(opened)


async def _open_engine(opened: Opened, listed: asyncio.Event) -> None:
    """Open a configured engine when the client knows the tools, so that a fault of it is told before the first call."""
    await listed.wait()
    if opened.runtime.configuration.mcp_engine_url is not None:
        await opened.calls()
