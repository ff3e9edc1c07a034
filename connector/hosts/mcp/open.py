"""Make a server of a configuration: what costs time to load is loaded when a client first needs it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from connector.catalogue import Catalogue
from connector.hosts.mcp.invoke import Invoker
from connector.hosts.mcp.prompts import Prompts
from connector.hosts.mcp.resources import Resources
from connector.hosts.mcp.results import Kept, Renderer
from connector.hosts.mcp.server import McpServer
from connector.hosts.mcp.tools import make_tools
from connector.pipeline import Runtime

if TYPE_CHECKING:
    from connector.calls.host_calls import HostCalls
    from connector.engine import Store

__all__ = ["Opened", "open_server"]

SQLITE = "sqlite:///"


@dataclass
class Opened:
    """A server with what it has opened until now.

    Attributes:
        runtime: the opened configuration.
        catalogue: what the API offers.
    """

    runtime: Runtime
    catalogue: Catalogue
    stack: AsyncExitStack
    _calls: HostCalls | None = None
    _tasks: Store | None = None
    _lock: asyncio.Lock = field(default_factory=asyncio.Lock)

    @cached_property
    def server(self) -> McpServer:
        """The server."""
        settings = self.runtime.configuration.mcp
        kept = Kept()
        invoker = Invoker(
            self.runtime,
            make_tools(self.runtime.configuration, self.catalogue),
            self.calls,
            Renderer(settings.result_bytes, kept),
        )
        resources = Resources(self.runtime, self.catalogue, kept, self.own_store, self.tasks)
        return McpServer(invoker, resources, lambda: self.prompts, settings.instructions)

    @cached_property
    def prompts(self) -> Prompts:
        """The prompts."""
        return Prompts(self.runtime)

    async def calls(self) -> HostCalls:
        """Return what makes calls that are noted; opened once."""
        async with self._lock:
            if self._calls is None:
                from connector.calls.upkeep import open_calls
                from connector.hosts.mcp.journal import PREFIX, open_engine

                settings = self.runtime.configuration.mcp
                store = await self.stack.enter_async_context(open_engine(self.runtime.configuration.mcp_engine_url))
                opened = open_calls(self.runtime, store, PREFIX, wait=settings.wait, equal=settings.equal_within)
                self._calls = await self.stack.enter_async_context(opened)
            return self._calls

    async def own_store(self) -> Store | None:
        """Return the engine of the calls of tools, if calls are kept at all."""
        if self._calls is None and self.runtime.configuration.mcp_engine_url is None:
            return None
        return (await self.calls()).shared.store

    async def tasks(self) -> Store | None:
        """Return the engine of the routes, to look at it; None when no run has made one yet."""
        url = self.runtime.configuration.engine_url
        if url == self.runtime.configuration.mcp_engine_url:
            return await self.own_store()
        if url.startswith(SQLITE) and not await asyncio.to_thread(Path(url.removeprefix(SQLITE)).is_file):
            return None
        async with self._lock:
            if self._tasks is None:
                from connector.engine import open_store

                self._tasks = await open_store(url, role="admin")
                self.stack.push_async_callback(self._tasks.close)
            return self._tasks


@asynccontextmanager
async def open_server(runtime: Runtime, folder: Path | None = None) -> AsyncGenerator[Opened]:
    """Make the server of an opened configuration, and close what it opens.

    Args:
        folder: a catalogue in place of the configuration's.
    """
    async with AsyncExitStack() as stack:
        yield Opened(runtime, Catalogue.open(folder or runtime.configuration.catalogue_folder), stack)
