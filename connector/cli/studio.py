"""`studio`: the pages and the API of a configuration, beside a run or by themselves."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Annotated

from typer import Argument, Option

from connector.cli.options import Config, configuration_at
from connector.cli.output import print_document, say
from connector.extras import require_extra

__all__ = ["studio", "studio_token"]

TOKEN_BYTES = 32


def studio(
    config: Config = None,
    host: Annotated[
        str | None, Option("--host", metavar="H", help="The address to listen on, instead of the configured one.")
    ] = None,
    port: Annotated[
        int | None,
        Option("--port", min=0, max=65535, help="The port instead of the configured one; 0 chooses a free one."),
    ] = None,
    open_browser: Annotated[bool, Option("--open/--no-open", help="Also open the link in a browser.")] = False,
) -> None:
    """Serve the studio: pages and an API to see, change and run what the configuration declares."""
    require_extra("fastapi", "studio", "the studio")
    require_extra("uvicorn", "studio", "the studio")
    asyncio.run(_serve(configuration_at(config), host, port, open_browser=open_browser))


def studio_token(
    name: Annotated[str, Argument(metavar="NAME", help="The name of the token's owner.")],
    role: Annotated[str, Option("--role", metavar="viewer|operator|editor", help="What the token may do.")] = "viewer",
) -> None:
    """Create a studio token: print the token, which is shown only once, and its entry for the configuration."""
    from secrets import token_urlsafe

    from connector.config.models.gateway import hash_token
    from connector.errors import ConfigurationError

    if role not in ("viewer", "operator", "editor"):
        raise ConfigurationError(f"--role {role!r}: viewer, operator or editor")
    token = f"st-{token_urlsafe(TOKEN_BYTES)}"
    entry = {"hash": hash_token(token), "role": role}
    print_document({"token": token, "studio": {"tokens": {name: entry}}})


async def _serve(source: Path, host: str | None, port: int | None, *, open_browser: bool) -> None:
    from connector.aio.signals import handle_signals
    from connector.pipeline import load_configuration
    from connector.studio.server import open_studio
    from connector.telemetry.logs import configure_logging

    configuration = load_configuration(source)
    undo = configure_logging(configuration.telemetry.logs, configuration.redactor())
    stopping = asyncio.Event()
    try:
        async with open_studio(source, configuration, host=host, port=port) as running:
            with handle_signals(lambda _: stopping.set(), None):
                link = running.link()
                print(link, flush=True)  # noqa: T201  the result
                say("open this link in a browser; it works once, and signs you in. Stop the studio with Ctrl-C")
                if open_browser:
                    await asyncio.to_thread(_open, link)
                await stopping.wait()
    finally:
        undo()


def _open(link: str) -> None:
    import webbrowser

    if not webbrowser.open(link):
        say("no browser could be opened here; open the link yourself")
