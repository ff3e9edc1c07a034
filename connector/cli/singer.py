"""`singer`: a tap and a target as Meltano and other runners start them, in lines of JSON."""

from __future__ import annotations

import asyncio
import logging
import sys
from collections.abc import Generator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated

from typer import Exit, Option

from connector.cli.command import group
from connector.cli.exit_codes import ExitCode
from connector.cli.host_files import CatalogFile, ConfigFile, StateFile, read_file
from connector.cli.output import say

if TYPE_CHECKING:
    from connector.hosts.pipe import Lines
    from connector.hosts.rows.settings import RowSettings
    from connector.hosts.streams.settings import SourceSettings
    from connector.model import JSON
    from connector.request.redaction import Redactor

__all__ = ["singer"]

TAP = "Reads the API's lists: usage, costs, files, batches, models and all others."
TARGET = "Publishes records by an outgoing connection, each of them once."
About = Annotated[bool, Option("--about", help="Print its settings and what it can do, and nothing else.")]

singer = group("A tap and a target for Singer and Meltano.")


@singer.command("tap")
def tap(
    *,
    config: ConfigFile = None,
    catalog: CatalogFile = None,
    state: StateFile = None,
    discover: Annotated[bool, Option("--discover", help="Print the catalog of all streams, and read nothing.")] = False,
    about: About = False,
) -> None:
    """Print the records of the selected streams, and states that cover them."""
    from connector.hosts.pipe import open_lines
    from connector.hosts.singer.about import describe_plugin
    from connector.hosts.streams.settings import SourceSettings, read_settings

    with open_lines() as lines, _log() as redact:
        if about:
            lines.write(describe_plugin("tap-openai", TAP, SourceSettings, ("catalog", "discover", "state")))
            return
        settings = read_settings(SourceSettings, read_file(config, "--config"))
        redact.learn(settings.secrets)
        if discover:
            asyncio.run(_discover(settings, lines))
            return
        chosen: JSON = None if catalog is None else read_file(catalog, "--catalog")
        known = read_file(state, "--state", default={})
        if not asyncio.run(_read(settings, chosen, known, lines, redact)):
            raise Exit(ExitCode.REFUSED)


@singer.command("target")
def target(*, config: ConfigFile = None, about: About = False) -> None:
    """Publish the records on standard input by an outgoing connection, and print the states that are covered."""
    from connector.hosts.pipe import open_lines
    from connector.hosts.rows.settings import RowSettings
    from connector.hosts.singer.about import describe_plugin
    from connector.hosts.streams.settings import read_settings

    with open_lines() as lines, _log() as redact:
        if about:
            lines.write(describe_plugin("target-openai", TARGET, RowSettings, ()))
            return
        settings = read_settings(RowSettings, read_file(config, "--config"))
        redact.learn(settings.secrets)
        if not asyncio.run(_publish(settings, lines, redact)):
            raise Exit(ExitCode.REFUSED)


async def _discover(settings: SourceSettings, lines: Lines) -> None:
    from connector.hosts.singer.tap import describe
    from connector.hosts.streams.source import open_source

    async with open_source(settings) as source:
        lines.write({"streams": [describe(stream) for stream in source.streams.values()]})


async def _read(settings: SourceSettings, catalog: JSON, state: JSON, lines: Lines, redact: Redactor) -> bool:
    from connector.hosts.singer.tap import bookmarks_of, read, selected_of
    from connector.hosts.streams.source import open_source

    async with open_source(settings) as source:
        selected, bookmarks = selected_of(source, catalog), bookmarks_of(state)
        return await read(source, selected, bookmarks, lines, lambda text: say(redact(text)))


async def _publish(settings: RowSettings, lines: Lines, redact: Redactor) -> bool:
    from connector.hosts.pipe import read_lines
    from connector.hosts.rows.publisher import open_publisher
    from connector.hosts.singer.target import write

    async with open_publisher(settings, "singer") as publisher:
        redact.learn(publisher.secrets)
        troubles = await write(publisher, read_lines(sys.stdin.buffer), lines)
    for trouble in troubles:
        say(redact(trouble.message))
    return not troubles


@contextmanager
def _log() -> Generator[Redactor]:
    """Write our log to standard error, without secrets."""
    from connector.request.redaction import Redactor
    from connector.telemetry.logs import TextLines

    redact = Redactor()
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(TextLines(redact))
    logging.getLogger("connector").addHandler(handler)
    try:
        yield redact
    finally:
        logging.getLogger("connector").removeHandler(handler)
