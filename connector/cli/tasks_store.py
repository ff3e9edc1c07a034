"""The tasks of a configuration, opened by somebody who looks after them while a run may be at work."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from connector.cli.config import configuration_at
from connector.errors import ConfigurationError

if TYPE_CHECKING:
    from connector.config import Configuration
    from connector.engine import Filter, Store, Task

__all__ = ["each", "opened"]

SQLITE = "sqlite:///"
PAGE = 500


@asynccontextmanager
async def opened(config: Path | None) -> AsyncGenerator[tuple[Store, Configuration]]:
    """The store and the configuration that names it; nothing is made where no run has been."""
    from connector.connections import load_configuration
    from connector.engine import open_store

    configuration = load_configuration(configuration_at(config))
    _check_there(configuration.engine_url)
    store = await open_store(configuration.engine_url, role="admin")
    try:
        yield store, configuration
    finally:
        await store.close()


def _check_there(url: str) -> None:
    path = Path(url.removeprefix(SQLITE))
    if url.startswith(SQLITE) and not path.exists():
        raise ConfigurationError(f"there are no tasks yet: {str(path)!r} is not there; `run` makes it")


async def each(store: Store, wanted: Filter, *, after: int = 0, limit: int | None = None) -> AsyncGenerator[Task]:
    """The tasks that are wanted, in the order of their ids, page by page."""
    left = limit
    while left is None or left > 0:
        size = PAGE if left is None else min(PAGE, left)
        page = await store.tasks(wanted, after=after, limit=size)
        for task in page:
            yield task
        if len(page) < size:
            return
        after, left = page[-1].id, None if left is None else left - len(page)
