"""Where the calls of MCP clients are noted: the engine that the configuration names, else a file of the process."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from connector.engine import Store, open_store

__all__ = ["PREFIX", "open_engine"]

PREFIX = "mcp/"
"""The beginning of the names of the routes of tools: no route of a configuration has a slash in its name."""


@asynccontextmanager
async def open_engine(url: str | None) -> AsyncGenerator[Store]:
    """Open the engine of a URL, or one that is gone with the process."""
    if url is not None:
        store = await open_store(url)
        try:
            yield store
        finally:
            await store.close()
        return
    with TemporaryDirectory(prefix="openai-connector-mcp-") as folder:
        store = await open_store(f"sqlite:///{Path(folder) / 'calls.db'}", new=True)
        try:
            yield store
        finally:
            await store.close()
