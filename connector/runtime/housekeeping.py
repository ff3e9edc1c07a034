"""What a run does beside its tasks: heartbeats, changes by other processes, lines of files, retention."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Protocol

from connector.delivery.outbox import FileAppender, Unwritable
from connector.engine import Fenced, Filter, Store, StoreBroken, StoreFull, TaskState
from connector.errors import ConnectorError
from connector.timing import SYSTEM, Timing

if TYPE_CHECKING:
    from connector.config.models import Retention

__all__ = ["LineFlusher", "RetentionPurger", "send_heartbeats", "watch_store"]

HEARTBEAT = 10.0
POLL, MIN_PAUSE = 5.0, 0.25
"""Seconds after which all workers look again in any case, as for the tasks of a worker that is gone, and at least
between two looks."""
RETRY_DELAY = 5.0
HOURLY = 3600.0
LEASE = 60.0
"""Seconds for which a process is the one that writes lines."""

log = logging.getLogger(__name__)


class Leases(Protocol):
    """The tasks that a process has leased."""

    @property
    def leased(self) -> Sequence[int]: ...
    async def abandon(self, tasks: Collection[int]) -> None: ...


class Renewable(Protocol):
    """What has to be renewed now and then to stay this process's."""

    async def renew(self) -> None: ...


class Wakeable(Protocol):
    """What looks for work when it is woken."""

    def wake(self) -> None: ...


async def send_heartbeats(tasks: Leases, readings: Renewable, store: Store, timing: Timing = SYSTEM) -> None:
    """Renew again and again what this process works on, and cancel what another worker has now."""
    while True:
        await timing.sleep(HEARTBEAT)
        leased = tasks.leased
        lost = await store.renew_leases(leased) if leased else ()
        if lost:
            await tasks.abandon(lost)
        await readings.renew()


async def watch_store(workers: Wakeable, store: Store, timing: Timing = SYSTEM) -> None:
    """Wake the workers when another process has changed something."""
    while True:
        await store.wait_for_change(POLL)
        workers.wake()
        await timing.sleep(MIN_PAUSE)


class LineFlusher:
    """Writes the lines that were committed to their files, in one process of all."""

    def __init__(self, store: Store, timing: Timing = SYSTEM) -> None:
        self._store = store
        self._lines = FileAppender(store)
        self._timing = timing
        self._due = asyncio.Event()
        self._due.set()
        self._is_writing = False
        self.fault = ""
        """Why lines are not written yet."""
        self.is_blocked = False
        """Whether a person must repair something first."""

    def notify(self) -> None:
        """Note that there are lines to write."""
        self._due.set()

    @property
    def is_done(self) -> bool:
        """Whether everything is written, as far as this process knows."""
        return not self._due.is_set() and not self._is_writing

    async def run(self, on_written: Callable[[], None]) -> None:
        """Write whenever there is something to write."""
        while True:
            await self._due.wait()
            if await self.flush():
                on_written()
            else:
                await self._timing.sleep(RETRY_DELAY)

    async def flush(self) -> bool:
        """Write all that there is, and return whether that succeeded."""
        self._due.clear()
        self._is_writing = True
        try:
            if await self._store.lead("lines", LEASE):
                await self._lines.write()
        except (Fenced, StoreBroken):
            raise
        except ConnectorError as fault:
            if str(fault) != self.fault:
                log.warning("%s", fault)
            self.fault, self.is_blocked = str(fault), isinstance(fault, Unwritable)
            self._due.set()
            return False
        finally:
            self._is_writing = False
        self.fault, self.is_blocked = "", False
        return True


class RetentionPurger:
    """Purges tasks that have been kept for as long as `retention` says."""

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
        """Purge every hour."""
        while True:
            try:
                if await self._store.lead("retention", HOURLY / 2):
                    await self.purge()
            except StoreFull as full:
                log.warning("%s; old tasks are purged later", full)
            await self._timing.sleep(HOURLY)

    async def purge(self) -> int:
        """Purge old tasks, some at a time, and return how many there were."""
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
