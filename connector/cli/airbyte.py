"""`airbyte`: a source and a destination as Airbyte starts them, in lines of JSON."""

from __future__ import annotations

import asyncio
import logging
import traceback
from collections.abc import Awaitable, Callable, Generator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from typer import Exit

from connector.cli.command import group
from connector.cli.host_files import CatalogFile, ConfigFile, StateFile, read_file
from connector.errors import ConnectorError

if TYPE_CHECKING:
    from connector.hosts.airbyte.messages import Channel
    from connector.hosts.streams.settings import SourceSettings
    from connector.hosts.streams.source import Source

__all__ = ["airbyte"]

airbyte = group("A source and a destination for Airbyte.")
source = group("Reads the API's lists: usage, costs, files, batches, models and all others.")
airbyte.add_typer(source, name="source")


@source.command("spec")
def source_spec() -> None:
    """Print how the source is configured."""
    from connector.hosts.airbyte.source import spec

    with _channel() as channel:
        spec(channel)


@source.command("check")
def source_check(config: ConfigFile = None) -> None:
    """Make one call with each key, and print whether it works."""

    async def check(source: Source, channel: Channel) -> bool:
        await source.check()
        channel.status()
        return True

    with _channel() as channel:
        try:
            asyncio.run(_with_source(_settings(config, channel), channel, check))
        except ConnectorError as error:
            channel.status(str(error))


@source.command("discover")
def source_discover(config: ConfigFile = None) -> None:
    """Print the streams that the keys can read, with their schemas."""

    async def discover(source: Source, channel: Channel) -> bool:
        from connector.hosts.airbyte.source import describe

        channel.catalog([describe(stream) for stream in source.streams.values()])
        return True

    _run(config, discover)


@source.command("read")
def source_read(config: ConfigFile = None, catalog: CatalogFile = None, state: StateFile = None) -> None:
    """Print the rows of the streams in a configured catalog, and states that cover them."""

    async def read(source: Source, channel: Channel) -> bool:
        from connector.hosts.airbyte.source import read, states_of, wanted_of

        wanted = wanted_of(read_file(catalog, "--catalog"))
        return await read(source, wanted, states_of(read_file(state, "--state", default=[])), channel)

    _run(config, read)


def _settings(config: ConfigFile, channel: Channel) -> SourceSettings:
    """Return the settings in a file; their secrets are hidden from then on."""
    from connector.hosts.streams.settings import SourceSettings, read_settings

    settings = read_settings(SourceSettings, read_file(config, "--config"))
    channel.redact.learn(settings.secrets)
    return settings


def _run(config: ConfigFile, act: Callable[[Source, Channel], Awaitable[bool]]) -> None:
    """Open the source that a file configures, and act on it; end with 1 unless all went well."""
    with _channel() as channel:
        if not asyncio.run(_with_source(_settings(config, channel), channel, act)):
            raise Exit(1)


async def _with_source(
    settings: SourceSettings, channel: Channel, act: Callable[[Source, Channel], Awaitable[bool]]
) -> bool:
    from connector.hosts.streams.source import open_source

    async with open_source(settings) as source:
        return await act(source, channel)


@contextmanager
def _channel() -> Generator[Channel]:
    """Open what the platform reads: our log and whatever ends us are messages there."""
    from connector.hosts.airbyte.messages import Channel, LogMessages
    from connector.hosts.pipe import open_lines
    from connector.hosts.streams.source import cause_of
    from connector.request.redaction import Redactor

    with open_lines() as lines:
        channel = Channel(lines, Redactor())
        handler = LogMessages(channel)
        logging.getLogger("connector").addHandler(handler)
        try:
            yield channel
        except ConnectorError as error:
            channel.error(str(error), cause_of(error))
            raise Exit(1) from None
        except (Exit, BrokenPipeError):
            raise
        except Exception as error:  # noqa: BLE001  the platform shows what it is told, and nothing else
            channel.error(f"the connector failed ({type(error).__name__})", "system", detail=traceback.format_exc())
            raise Exit(1) from None
        finally:
            logging.getLogger("connector").removeHandler(handler)
