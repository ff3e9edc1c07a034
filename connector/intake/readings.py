"""The readings of a run: at most one of a route at a time, in one worker of all, tried again when they break off."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable

from connector.aio.tasks import wait_for_event
from connector.engine import Store, StoreBroken
from connector.engine.commits import SpaceRetry
from connector.errors import ConnectorError
from connector.intake.cursor import Position
from connector.intake.reading import ReadingCounts, RouteReading
from connector.model import CallFailed
from connector.resilience import Backoff
from connector.timing import SYSTEM, Timing

__all__ = ["Readings"]

LEASE = 60.0
"""Seconds for which a worker is the one that reads a route; it says so again before they are over."""
LOOK_AGAIN = 2.0
"""Seconds after which a run that is to end looks whether another worker has read a route."""
BACKOFF = Backoff(5.0, 300.0)
"""The delays before a reading that broke off is tried again."""

log = logging.getLogger(__name__)


class Readings:
    """Starts and stops readings.

    Args:
        make: makes a reading of a route.
        store: where workers agree who reads.
        ended: called with the route whose reading has ended.
        broken: called with an error after which the run cannot continue.
        redact: hides secrets.
        again: whether a reading that broke off is tried again, as a service does.
    """

    def __init__(
        self,
        make: Callable[[str], RouteReading],
        store: Store,
        *,
        ended: Callable[[str, ReadingCounts], None],
        broken: Callable[[BaseException], None],
        redact: Callable[[str], str],
        again: bool,
        timing: Timing = SYSTEM,
    ) -> None:
        self._make = make
        self._store = store
        self._told = ended
        self._broken = broken
        self._redact = redact
        self._again = again
        self._timing = timing
        self._space = SpaceRetry(timing)
        self._stopping = asyncio.Event()
        self.under_way: dict[str, asyncio.Task[None]] = {}
        """The readings that have not ended, by route."""
        self._readings: dict[str, RouteReading] = {}
        self.failed: dict[str, ConnectorError] = {}
        """Why the last reading of a route broke off."""
        self.tallies: dict[str, ReadingCounts] = {}
        """The results of the readings under way, or of the last ones."""

    def start(self, route: str) -> None:
        """Begin to read a route, unless it is being read."""
        if route in self.under_way or self._stopping.is_set():
            return
        task = asyncio.create_task(self._run_reading(route))
        self.under_way[route] = task

    def ended(self, count: int) -> None:
        """Note that tasks have ended, so that there may be room for more."""
        for reading in self._readings.values():
            reading.ended(count)

    async def stop(self) -> None:
        """Read no further; what was read is accepted."""
        self._stopping.set()
        for reading in self._readings.values():
            reading.stop()
        while self.under_way:
            await asyncio.wait(self.under_way.values())

    async def close(self) -> None:
        """Break off all readings under way."""
        tasks = list(self.under_way.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def renew(self) -> None:
        """Say again that this worker reads what it reads."""
        for route in tuple(self._readings):
            await self._lead(route, LEASE)

    async def _run_reading(self, route: str) -> None:
        tally = ReadingCounts()
        try:
            if await self._is_ours(route):
                tally = await self._read_until_done(route)
                await self._lead(route, 0.0)  # a waiter need not wait for its end
        except Exception as error:  # noqa: BLE001  every error is reported to the run
            self._broken(error)
        finally:
            self._readings.pop(route, None)
            del self.under_way[route]
            self._told(route, tally)

    async def _is_ours(self, route: str) -> bool:
        """Return whether this worker is to read a route: another one may be at it, and may leave it half read."""
        waited = False
        while not await self._lead(route, LEASE):
            log.info("route %r is being read by another worker", route)
            if self._again:
                return False
            waited = True
            await wait_for_event(self._stopping, LOOK_AGAIN, self._timing)
            if self._stopping.is_set():
                return False
        return not waited or Position.of(await self._store.cursor(route)).open

    async def _lead(self, route: str, seconds: float) -> bool:
        return await self._space.run(lambda: self._store.lead(f"reading {route}", seconds))

    async def _read_until_done(self, route: str) -> ReadingCounts:
        """Read until it succeeds, as far as trying again can help."""
        retries = 0
        while True:
            wait = BACKOFF.delay(retries)
            reading = self._readings[route] = self._make(route)
            self.tallies[route] = reading.tally
            try:
                tally = await reading.run()
            except StoreBroken:
                raise
            except ConnectorError as error:
                self.failed[route] = error
                again = self._again and isinstance(error, CallFailed) and not self._stopping.is_set()
                then = f"it is tried again in {wait:.0f} s" if again else "what was read before is kept"
                log.error("route %r could not be read: %s; %s", route, self._redact(str(error)), then)  # noqa: TRY400  a sentence says it
                if not again:
                    return reading.tally
            else:
                self.failed.pop(route, None)
                return tally
            await wait_for_event(self._stopping, wait, self._timing)
            if self._stopping.is_set():
                return reading.tally
            retries += 1
