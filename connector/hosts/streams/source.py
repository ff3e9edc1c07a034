"""A source: what a configuration of a host can read, and a reader of it."""

from __future__ import annotations

import time
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from connector.catalogue import Catalogue
from connector.errors import ConfigurationError, UnknownName
from connector.hosts.streams.reader import StreamReader
from connector.hosts.streams.settings import SourceSettings
from connector.hosts.streams.stream import Stream, make_streams
from connector.http import Client
from connector.model import CallFailed, State
from connector.suggestions import closest

__all__ = ["Source", "cause_of", "open_reader", "open_source", "readable_streams"]

DAY = 86_400
PROBES: Mapping[str, tuple[str, Mapping[str, int]]] = {
    "api_key": ("models list", {}),
    "admin_api_key": ("costs list", {"limit": 1}),
}
REFUSED_KEYS = (401, 403)
TOO_MANY, SERVER_FAULT = 429, 500


@dataclass(frozen=True, slots=True)
class Source:
    """What can be read.

    Attributes:
        streams: those that the given keys may read, by name.
        reader: reads them.
    """

    streams: Mapping[str, Stream]
    reader: StreamReader

    def find(self, name: str) -> Stream:
        """Return the stream of a name; UnknownName when there is none that the keys may read."""
        if name in self.streams:
            return self.streams[name]
        known = make_streams(self.reader.client.catalogue).get(name)
        if known is not None:
            raise ConfigurationError(
                f"the stream {name!r} needs {'admin_api_key' if known.needs_admin else 'api_key'}, which is not given"
            )
        raise UnknownName("stream", name, closest(name, self.streams), "discover names them all")

    async def check(self) -> None:
        """Make one call with each key that is given; CallFailed with what the API says of it."""
        settings, client = self.reader.settings, self.reader.client
        for name, (operation, query) in PROBES.items():
            if getattr(settings, name) is None:
                continue
            start = {"start_time": int(self.reader.wall()) - DAY} if query else {}
            outcome = await client.send(client.prepare(operation, {"query": {**query, **start}}))
            outcome.require()


def readable_streams(settings: SourceSettings, catalogue: Catalogue) -> dict[str, Stream]:
    """Return the streams that the given keys may read, by name; ConfigurationError without a key."""
    if settings.api_key is None and settings.admin_api_key is None:
        raise ConfigurationError("give api_key, admin_api_key, or both: without a key nothing can be read")
    keys = {True: settings.admin_api_key, False: settings.api_key}
    offered = make_streams(catalogue)
    return {name: stream for name, stream in offered.items() if keys[stream.needs_admin] is not None}


@asynccontextmanager
async def open_reader(
    settings: SourceSettings, catalogue: Catalogue, *, wall: Callable[[], float] = time.time
) -> AsyncGenerator[StreamReader]:
    """Open what reads streams."""
    given: Any = settings.parameters
    async with Client("openai", catalogue=catalogue, environ={}, **given) as client:
        yield StreamReader(client, settings, wall)


@asynccontextmanager
async def open_source(
    settings: SourceSettings,
    catalogue: Catalogue | None = None,
    *,
    wall: Callable[[], float] = time.time,
) -> AsyncGenerator[Source]:
    """Open what settings can read."""
    catalogue = catalogue or Catalogue.open()
    streams = readable_streams(settings, catalogue)
    async with open_reader(settings, catalogue, wall=wall) as reader:
        yield Source(streams, reader)


def cause_of(error: Exception) -> str:
    """Return whose an error is: `config` for what its user can change, `transient` for what may pass, else `system`."""
    if isinstance(error, CallFailed):
        outcome = error.outcome
        if outcome.status in REFUSED_KEYS or outcome.faults:
            return "config"
        is_final = outcome.state is State.REFUSED and outcome.status is not None and outcome.status < SERVER_FAULT
        return "system" if is_final and outcome.status != TOO_MANY else "transient"
    return "config" if isinstance(error, ConfigurationError | UnknownName) else "system"
