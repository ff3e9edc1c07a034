"""Routes that are called another way than before: what they read would be delivered, and paid for, again."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import blake2b
from typing import TYPE_CHECKING

import orjson

from connector.engine import Change, Store, StoreError
from connector.model import JSON, members
from connector.routes.reading.receiving import receives

if TYPE_CHECKING:
    from connector.config import Configuration

__all__ = ["READS", "check_routes", "is_same", "reads_of"]

READS = "reads"
"""The space of records that tell which incoming connection each route reads."""


async def check_routes(store: Store, configuration: Configuration, routes: Sequence[str], *, new: bool = False) -> None:
    """Keep what each route reads; StoreError when one is new and reads what a route that is gone has read.

    Args:
        store: where the tasks are.
        configuration: what the routes are now.
        routes: those that run.
        new: whether such a route starts afresh.
    """
    known = await store.records(READS)
    gone = {name: told for name, told in known.items() if name not in configuration.routes}
    reads = reads_of(configuration, routes)
    begun: set[str] = {*known, *(await store.counts() if gone else ())}
    replaced: set[str] = set()
    for route, read in reads.items():
        if route in begun:
            continue
        before = [name for name, told in gone.items() if is_same(told, read)]
        if before and not new:
            raise _renamed(route, configuration.routes[route].incoming, before[0])
        replaced.update(before)
    records = {(READS, route): read for route, read in reads.items() if known.get(route) != read}
    if records or replaced:
        await store.commit(Change(records={**records, **{(READS, name): None for name in replaced}}))


def reads_of(configuration: Configuration, routes: Sequence[str]) -> dict[str, JSON]:
    """Return what each route reads; webhooks are sent, and so are read by nobody anew."""
    return {route: _reads(configuration, route) for route in routes if not receives(configuration, route)}


def _reads(configuration: Configuration, route: str) -> JSON:
    """What a route reads: the name of the connection, and a digest of what it says."""
    name = configuration.routes[route].incoming
    subscriber = configuration.incoming[name].subscriber
    said = orjson.dumps([subscriber.prototype, subscriber.parameters], default=repr, option=orjson.OPT_SORT_KEYS)
    return {"incoming": name, "subscriber": blake2b(said, digest_size=8).hexdigest()}


def is_same(before: JSON, now: JSON) -> bool:
    """Whether two routes read the same, or have read it under another name."""
    then, reads = members(before), members(now)
    return any(then.get(name) == value for name, value in reads.items())


def _renamed(route: str, incoming: str, before: str) -> StoreError:
    return StoreError(
        f"route {route!r} is new and reads incoming connection {incoming!r} from its start, as route {before!r} did, "
        "which the configuration does not have any more: documents that were delivered would be delivered, and paid "
        f"for, again. Call it {before!r} again, or go on all the same with `run --new`"
    )
