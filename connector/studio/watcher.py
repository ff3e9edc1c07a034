"""The one watcher of a studio: it notices what changes in the store and in the configuration, and tells every page."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from secrets import token_hex
from typing import Literal

from connector.aio.tasks import run_until_first
from connector.config.sources import files_of
from connector.engine import StoreBroken, StoreError, TaskState
from connector.errors import ConnectorError
from connector.model import JSON
from connector.runtime.route_control import read_pauses
from connector.runtime.stalls import STALLS
from connector.studio.context import StudioContext
from connector.studio.status import count_attention

__all__ = ["Watcher"]

PATIENCE = 5.0
"""Seconds after which it looks in any case."""
PAUSE = 0.5
"""Seconds between two looks, however much changes: so a run at full speed is hardly slower while pages are open."""
RETRY = 5.0
WATCH = 60.0
"""Seconds for which the store notes what changes after the last look; nobody pays for it while no page is open."""
MOST_NAMED = 50
"""Tasks that are named one by one; of more a page reads its list anew."""

log = logging.getLogger(__name__)

Counts = Mapping[str, Mapping[TaskState, int]]


class Watcher:
    """Looks while at least one page is open, and only then.

    Args:
        context: whose store and configuration it watches, and whose pages it tells.
        pause: seconds between two looks.
    """

    def __init__(self, context: StudioContext, pause: float = PAUSE) -> None:
        self._context = context
        self._pause = pause
        self._name = f"studio {token_hex(8)}"
        self._watches_until = 0.0
        self._mark: str | None = None

    async def run(self) -> None:
        """Look again and again."""
        while True:
            await self._context.events.opened.wait()
            try:
                await self.look()
                await self._wait()
            except StoreBroken:
                raise
            except (StoreError, OSError) as error:
                log.warning("pages are not told what changes: %s", error)
                await asyncio.sleep(RETRY)

    async def look(self) -> None:
        """Tell the pages what is the case now; what they know already is not told again."""
        context = self._context
        counts = await context.store.counts()
        context.rates.note(counts)
        pauses = await read_pauses(context.store)
        told = {route: {state.value: number for state, number in states.items()} for route, states in counts.items()}
        context.events.publish("counts", told)
        changed = await self._find_changed()
        if changed:
            context.events.publish("tasks", {"changed": changed})
        context.events.publish("attention", count_attention(counts, pauses.keys()).model_dump())
        stalls = await context.store.records(STALLS)
        paused: dict[str, JSON] = {
            route: {"reason": pause.reason, "by": pause.by, "since": pause.since} for route, pause in pauses.items()
        }
        context.events.publish("routes", {"paused": paused, "stalls": {route: stalls[route] for route in stalls}})
        etag = await asyncio.to_thread(self._stamp)
        if context.events.publish("config", {"etag": etag}):
            context.reload()

    async def _find_changed(self) -> list[int] | Literal["many"]:
        """Return which tasks have changed since the last look; many when they are too many to name."""
        feed, now = self._context.store.feed, self._context.monotonic()
        if now >= self._watches_until - WATCH / 2:
            await feed.watch(self._name, WATCH)
            self._watches_until = now + WATCH
        is_first = self._mark is None
        changes = await feed.changes(self._mark or "")
        self._mark = changes.mark
        if is_first:
            return []
        ids = sorted(set(changes.tasks))
        return ids if changes.whole and len(ids) <= MOST_NAMED else "many"

    async def _wait(self) -> None:
        """Wait until something may have changed, here or in another process."""
        await run_until_first(self._context.store.wait_for_change(PATIENCE), self._context.changed.wait())
        self._context.changed.clear()
        await asyncio.sleep(self._pause)

    def _stamp(self) -> str:
        """Return what differs once a file of the configuration was written."""
        try:
            found = [(str(file), file.stat()) for file in files_of(self._context.source)]
        except (ConnectorError, OSError):
            return ""
        return "-".join(f"{one.st_mtime_ns:x}.{one.st_size:x}.{one.st_ino:x}" for _, one in found)
