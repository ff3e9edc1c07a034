"""Checks before a run: a renamed route or another engine would deliver again, and pay again for, earlier documents."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from hashlib import blake2b
from pathlib import Path
from typing import TYPE_CHECKING

import orjson

from connector.config.configuration import SQLITE
from connector.engine import Change, Store, StoreError, open_store
from connector.intake.receivers import receives
from connector.model import JSON, members

if TYPE_CHECKING:
    from connector.config import Configuration

__all__ = ["check_engine", "check_routes"]

READS = "reads"
"""The space of records that tell which incoming connection each route reads."""
LOCK = ".lock"


async def check_routes(store: Store, configuration: Configuration, routes: Sequence[str], *, new: bool = False) -> None:
    """Keep what each route reads; StoreError when one is new and reads what a route that is gone has read.

    Args:
        store: where the tasks are.
        configuration: what the routes are now.
        routes: those that run.
        new: whether such a route starts afresh.
    """
    known = await store.records(READS)
    gone = {name: read for name, read in known.items() if name not in configuration.routes}
    reads = _reads_of(configuration, routes)
    begun: set[str] = {*known, *(await store.counts() if gone else ())}
    replaced: set[str] = set()
    for route, read in reads.items():
        if route in begun:
            continue
        before = [name for name, earlier in gone.items() if _is_same(earlier, read)]
        if before and not new:
            raise _renamed(route, configuration.routes[route].incoming, before[0])
        replaced.update(before)
    records = {(READS, route): read for route, read in reads.items() if known.get(route) != read}
    if records or replaced:
        await store.commit(Change(records={**records, **{(READS, name): None for name in replaced}}))


async def check_engine(store: Store, configuration: Configuration, routes: Sequence[str], *, new: bool = False) -> None:
    """StoreError when a database beside the configuration has routes that the engine knows nothing of.

    Args:
        store: the engine, opened.
        configuration: whose routes they are.
        routes: those that run.
        new: whether they start afresh.
    """
    known = {*await store.records(READS), *await store.counts()}
    fresh = {route: read for route, read in _reads_of(configuration, routes).items() if route not in known}
    if new or not fresh:
        return
    for path in _find_databases(configuration):
        earlier = await _load_reads(path)
        moved = [route for route, read in fresh.items() if route in earlier and _is_same(earlier[route], read)]
        if moved:
            raise StoreError(
                f"engine: it knows nothing of route {moved[0]!r}, whose earlier runs kept their tasks in {path}: "
                "documents that were delivered would be delivered, and paid for, again. Name that engine again, or go "
                "on all the same with `run --new`"
            )


def _reads_of(configuration: Configuration, routes: Sequence[str]) -> dict[str, JSON]:
    """Return what each route reads; webhooks are sent, and so cannot be read again."""
    return {route: _read_of(configuration, route) for route in routes if not receives(configuration, route)}


def _read_of(configuration: Configuration, route: str) -> JSON:
    """Return the name of the connection that a route reads, and a digest of its settings."""
    name = configuration.routes[route].incoming
    subscriber = configuration.incoming[name].subscriber
    settings = orjson.dumps([subscriber.prototype, subscriber.parameters], default=repr, option=orjson.OPT_SORT_KEYS)
    return {"incoming": name, "subscriber": blake2b(settings, digest_size=8).hexdigest()}


def _is_same(before: JSON, now: JSON) -> bool:
    """Return whether two routes read the same, or have read it under another name."""
    then, reads = members(before), members(now)
    return any(then.get(name) == value for name, value in reads.items())


def _renamed(route: str, incoming: str, before: str) -> StoreError:
    return StoreError(
        f"route {route!r} is new and reads incoming connection {incoming!r} from its start, as route {before!r} did, "
        "which the configuration does not have any more: documents that were delivered would be delivered, and paid "
        f"for, again. Call it {before!r} again, or go on all the same with `run --new`"
    )


def _find_databases(configuration: Configuration) -> Iterator[Path]:
    """Yield the databases of runs in the configuration's folder, except the one that is in use now."""
    url = configuration.engine_url
    own = Path(url.removeprefix(SQLITE)).resolve() if url.startswith(SQLITE) else None
    for lock in sorted(configuration.folder.glob(f"*{LOCK}")):
        path = lock.with_name(lock.name.removesuffix(LOCK)).resolve()
        if path != own and path.is_file() and _is_ours(lock):
            yield path


def _is_ours(lock: Path) -> bool:
    """Return whether a file is the lock of a database of ours; others have such names too."""
    with suppress(OSError, ValueError):
        return bool(members(members(orjson.loads(lock.read_bytes())).get("database")).get("name"))
    return False


async def _load_reads(path: Path) -> Mapping[str, JSON]:
    """Return what the routes of a database read; nothing where it is no database of ours."""
    with suppress(StoreError):
        other = await open_store(f"{SQLITE}{path}", role="admin")
        try:
            return await other.records(READS)
        finally:
            await other.close()
    return {}
