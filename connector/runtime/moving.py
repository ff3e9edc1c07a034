"""An engine that is not the one of earlier runs: what they delivered would be delivered, and paid for, again."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import orjson

from connector.config.engine import SQLITE
from connector.engine import Store, StoreError, open_store
from connector.model import JSON, members
from connector.runtime.naming import READS, is_same, reads_of

if TYPE_CHECKING:
    from connector.config import Configuration

__all__ = ["check_engine"]

LOCK = ".lock"


async def check_engine(store: Store, configuration: Configuration, routes: Sequence[str], *, new: bool = False) -> None:
    """StoreError when a database beside the configuration has routes that the engine knows nothing of.

    Args:
        store: the engine, opened.
        configuration: whose routes they are.
        routes: those that run.
        new: whether they start afresh.
    """
    known = {*await store.records(READS), *await store.counts()}
    fresh = {route: read for route, read in reads_of(configuration, routes).items() if route not in known}
    if new or not fresh:
        return
    for path in _databases(configuration):
        told = await _reads_in(path)
        moved = [route for route, read in fresh.items() if route in told and is_same(told[route], read)]
        if moved:
            raise StoreError(
                f"engine: it knows nothing of route {moved[0]!r}, whose earlier runs kept their tasks in {path}: "
                "documents that were delivered would be delivered, and paid for, again. Name that engine again, or go "
                "on all the same with `run --new`"
            )


def _databases(configuration: Configuration) -> Iterator[Path]:
    """The databases of runs that lie in the configuration's folder, but for the one that is worked on now."""
    url = configuration.engine_url
    own = Path(url.removeprefix(SQLITE)).resolve() if url.startswith(SQLITE) else None
    for lock in sorted(configuration.folder.glob(f"*{LOCK}")):
        path = lock.with_name(lock.name.removesuffix(LOCK)).resolve()
        if path != own and path.is_file() and _is_signed(lock):
            yield path


def _is_signed(lock: Path) -> bool:
    """Whether a file is the lock of a database of ours; others have such names too."""
    with suppress(OSError, ValueError):
        return bool(members(members(orjson.loads(lock.read_bytes())).get("database")).get("name"))
    return False


async def _reads_in(path: Path) -> Mapping[str, JSON]:
    """What the routes of a database read; nothing where it is no database of ours."""
    with suppress(StoreError):
        other = await open_store(f"{SQLITE}{path}", role="admin")
        try:
            return await other.records(READS)
        finally:
            await other.close()
    return {}
