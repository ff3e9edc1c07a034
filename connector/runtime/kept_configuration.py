"""The chains of each distinct configuration that a run began with, kept beside the tasks, without secrets.

A task's own is the one that was in force when it was accepted. Nothing is written for a task, and nothing for a run
whose configuration is that of the run before it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import blake2b

import orjson

from connector.config import Configuration
from connector.engine import Change, Store
from connector.model import JSON, is_document, members

__all__ = ["CONFIGURATIONS", "STARTS", "KeptChains", "find_kept", "keep_configuration", "parts_of"]

STARTS = "configuration-starts"
"""The space of records that says since when which configuration was in force."""
CONFIGURATIONS = "configurations"
"""The space of records with what is kept of each, by its digest."""
MOST = 200
"""Changes of the configuration that are known; older tasks have no original any more."""
DIGITS = 17


@dataclass(frozen=True, slots=True)
class KeptChains:
    """What is kept of a configuration.

    Attributes:
        digest: equal for configurations with the same chains.
        since: when it came into force, in seconds since 1970.
        parts: saved chains, and the chains of connections and routes.
    """

    digest: str
    since: float
    parts: Mapping[str, JSON]

    def route_parts(self, route: str) -> JSON:
        """Return all that decides what a route makes of a document; None when it had no such route."""
        settings = members(self.parts.get("routes")).get(route)
        if not is_document(settings):
            return None
        outgoing = members(self.parts.get("outgoing")).get(str(settings.get("outgoing")))
        return {"saved": self.parts.get("saved"), "route": settings, "outgoing": outgoing}


def parts_of(configuration: Configuration) -> dict[str, JSON]:
    """Return what is kept of a configuration, without secrets."""
    kept: dict[str, JSON] = {
        "saved": configuration.saved_chains(),
        "incoming": {name: {"chain": one.chain} for name, one in configuration.incoming.items()},
        "outgoing": {name: {"chain": one.chain} for name, one in configuration.outgoing.items()},
        "routes": {
            name: {"incoming": one.incoming, "outgoing": one.outgoing, "chain": one.chain}
            for name, one in configuration.routes.items()
        },
    }
    shown = configuration.redactor().value(kept)
    return dict(members(shown))


def digest_of(parts: Mapping[str, JSON]) -> str:
    """Return a digest that is equal for equal parts."""
    return blake2b(orjson.dumps(parts, option=orjson.OPT_SORT_KEYS), digest_size=12).hexdigest()


async def keep_configuration(store: Store, configuration: Configuration, at: float) -> None:
    """Keep the chains of a configuration with which a run begins, unless the run before had the same."""
    parts = parts_of(configuration)
    digest, starts = digest_of(parts), await store.records(STARTS)
    known = sorted(starts)
    if known and starts[known[-1]] == digest:
        return
    # Clocks go back; what began last is last all the same.
    key = max(_make_key(at), known[-1] if known else "")
    gone = [old for old in known[: max(len(known) + 1 - MOST, 0)] if old != key]
    left = {starts[old] for old in known if old not in gone} | {digest}
    records: dict[tuple[str, str], JSON] = {(STARTS, old): None for old in gone}
    records |= {(CONFIGURATIONS, str(starts[old])): None for old in gone if starts[old] not in left}
    await store.commit(Change(records={**records, (STARTS, key): digest, (CONFIGURATIONS, digest): parts}))


async def find_kept(store: Store, at: float) -> KeptChains | None:
    """Return what was in force at a time; None when it is not known."""
    starts = await store.records(STARTS)
    before = [key for key in starts if key <= _make_key(at)]
    if not before:
        return None
    digest = str(starts[max(before)])
    parts = await store.record(CONFIGURATIONS, digest)
    return KeptChains(digest, int(max(before)) / 1000, parts) if is_document(parts) else None


def _make_key(at: float) -> str:
    """Return a time in milliseconds, as text that sorts as the times do."""
    return str(int(at * 1000)).zfill(DIGITS)
