"""`airbyte`: a source and a destination as Airbyte starts them, in lines of JSON."""

from __future__ import annotations

import asyncio
import logging
import sys
import traceback
from collections.abc import Awaitable, Callable, Generator
from contextlib import contextmanager
from typing import TYPE_CHECKING, TypeVar

from typer import Exit

from connector.cli.command import group
from connector.cli.host_files import CatalogFile, ConfigFile, StateFile, read_file
from connector.errors import ConnectorError

if TYPE_CHECKING:
    from connector.hosts.airbyte.messages import Channel
    from connector.hosts.streams.settings import Settings, SourceSettings
    from connector.hosts.streams.source import Source

__all__ = ["airbyte"]

Some = TypeVar("Some", bound="Settings")

airbyte = group("A source and a destination for Airbyte.")
source = group("Reads the API's lists: usage, costs, files, batches, models and all others.")
destination = group("Publishes rows by an outgoing connection, each of them once.")
airbyte.add_typer(source, name="source")
airbyte.add_typer(destination, name="destination")


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
            asyncio.run(_with_source(_source_settings(config, channel), channel, check))
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


@destination.command("spec")
def destination_spec() -> None:
    """Print how the destination is configured."""
    from connector.hosts.airbyte.destination import spec

    with _channel() as channel:
        spec(channel)


@destination.command("check")
def destination_check(config: ConfigFile = None) -> None:
    """Open the connection and its journal, send nothing, and print whether rows can be published."""
    from connector.hosts.rows.publisher import open_publisher
    from connector.hosts.rows.settings import RowSettings

    async def check(settings: RowSettings) -> None:
        async with open_publisher(settings, "airbyte"):
            pass

    with _channel() as channel:
        try:
            asyncio.run(check(_settings(RowSettings, config, channel)))
            channel.status()
        except ConnectorError as error:
            channel.status(str(error))


@destination.command("write")
def destination_write(config: ConfigFile = None, catalog: CatalogFile = None) -> None:
    """Publish the rows on standard input, and print the states that they are covered by."""
    from connector.hosts.airbyte.destination import write, written_of
    from connector.hosts.pipe import read_lines
    from connector.hosts.rows.publisher import open_publisher
    from connector.hosts.rows.settings import RowSettings

    async def publish(settings: RowSettings, channel: Channel) -> bool:
        streams = written_of(read_file(catalog, "--catalog"), each_sync=settings.each_sync)
        async with open_publisher(settings, "airbyte") as publisher:
            channel.redact.learn(publisher.secrets)
            return await write(publisher, streams, read_lines(sys.stdin.buffer), channel)

    with _channel() as channel:
        if not asyncio.run(publish(_settings(RowSettings, config, channel), channel)):
            raise Exit(1)


def _settings(model: type[Some], config: ConfigFile, channel: Channel) -> Some:
    """Return the settings in a file; their secrets are hidden from then on."""
    from connector.hosts.streams.settings import read_settings

    settings = read_settings(model, read_file(config, "--config"))
    channel.redact.learn(settings.secrets)
    return settings


def _source_settings(config: ConfigFile, channel: Channel) -> SourceSettings:
    from connector.hosts.streams.settings import SourceSettings

    return _settings(SourceSettings, config, channel)


def _run(config: ConfigFile, act: Callable[[Source, Channel], Awaitable[bool]]) -> None:
    """Open the source that a file configures, and act on it; end with 1 unless all went well."""
    with _channel() as channel:
        if not asyncio.run(_with_source(_source_settings(config, channel), channel, act)):
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
