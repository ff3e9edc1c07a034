"""What a run does beside its tasks: says that it still works, hears of others, writes files, forgets what is old."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING

from connector.engine import Fenced, Filter, Store, StoreBroken, StoreFull, TaskState
from connector.errors import ConnectorError
from connector.routes.delivering.lines import Lines, Unwritable
from connector.timing import SYSTEM, Timing

if TYPE_CHECKING:
    from connector.config.models import Retention
    from connector.routes.reading.readings import Readings
    from connector.runtime.crew import Crew

__all__ = ["Forgetting", "Writing", "guarded", "heartbeats", "news"]

HEARTBEAT = 10.0
NEWS, PAUSE = 60.0, 0.25
"""Seconds after which everybody looks again in any case, and at least between two looks."""
LATER = 5.0
HOURLY = 3600.0
LEADING = 60.0

log = logging.getLogger(__name__)


async def heartbeats(crew: Crew, readings: Readings, store: Store, timing: Timing = SYSTEM) -> None:
    """Says again and again what this process works on, and breaks off what another worker has now."""
    while True:
        await timing.sleep(HEARTBEAT)
        leased = crew.leased
        lost = await store.renew_leases(leased) if leased else ()
        if lost:
            await crew.abandon(lost)
        await readings.renew()


async def news(crew: Crew, store: Store, timing: Timing = SYSTEM) -> None:
    """Wakes everybody when somebody else has changed something; what this process commits is told at once."""
    while True:
        await store.wait_for_change(NEWS)
        crew.wake()
        await timing.sleep(PAUSE)


class Writing:
    """Writes the lines that files are to end with, in one process of all."""

    def __init__(self, store: Store, timing: Timing = SYSTEM) -> None:
        self._store = store
        self._lines = Lines(store)
        self._timing = timing
        self._due = asyncio.Event()
        self._due.set()
        self._at_work = False
        self.fault = ""
        """Why lines are not written yet."""
        self.blocked = False
        """Whether somebody must mend something before they can be."""

    def tell(self) -> None:
        """Says that there are lines to write."""
        self._due.set()

    @property
    def done(self) -> bool:
        """Whether everything is written, as far as this process knows."""
        return not self._due.is_set() and not self._at_work

    async def run(self, written: Callable[[], None]) -> None:
        """Writes whenever there is something to write."""
        while True:
            await self._due.wait()
            if await self.write():
                written()
            else:
                await self._timing.sleep(LATER)

    async def write(self) -> bool:
        """Writes all that there is; whether that is done."""
        self._due.clear()
        self._at_work = True
        try:
            if await self._store.lead("lines", LEADING):
                await self._lines.write()
        except (Fenced, StoreBroken):
            raise
        except ConnectorError as fault:
            if str(fault) != self.fault:
                log.warning("%s", fault)
            self.fault, self.blocked = str(fault), isinstance(fault, Unwritable)
            self._due.set()
            return False
        finally:
            self._at_work = False
        self.fault, self.blocked = "", False
        return True


class Forgetting:
    """Purges tasks that have been kept for long enough."""

    def __init__(self, retention: Retention, store: Store, wall: Callable[[], float], timing: Timing = SYSTEM) -> None:
        self._store = store
        self._wall = wall
        self._timing = timing
        self._kept: Mapping[TaskState, float | None] = {
            TaskState.FINISHED: retention.finished,
            TaskState.FAILED: retention.failed,
            TaskState.SKIPPED: retention.skipped,
            TaskState.UNKNOWN: retention.unknown,
        }

    async def run(self) -> None:
        """Looks every hour."""
        while True:
            try:
                if await self._store.lead("retention", HOURLY / 2):
                    await self.purge()
            except StoreFull as full:
                log.warning("%s; old tasks are purged later", full)
            await self._timing.sleep(HOURLY)

    async def purge(self) -> int:
        """Forgets what is old, a little at a time; returns how many tasks that were."""
        total = 0
        for state, kept in self._kept.items():
            if kept is None:
                continue
            old = Filter(states=(state,), updated_before=self._wall() - kept)
            while count := await self._store.purge(old, most=1000):
                total += count
                await asyncio.sleep(0)
        if total:
            log.info("%d tasks were kept for as long as `retention` says and are forgotten now", total)
        return total


async def guarded(work: Awaitable[None], broken: Callable[[BaseException], None]) -> None:
    """Runs what should never end; an error ends the run."""
    try:
        await work
    except Exception as error:  # noqa: BLE001  whatever it is, the run is told
        broken(error)
