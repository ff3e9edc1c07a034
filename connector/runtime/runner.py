"""A whole run: routes are read, delivered, started by schedules, and brought to rest."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Coroutine, Mapping
from contextlib import suppress
from typing import Any

from connector.aio.events import wait_for_event
from connector.connections import Runtime
from connector.engine import Change, Store, StoreError
from connector.engine.commits import Commits, Waits
from connector.http.rules import Who
from connector.http.tries import Pause
from connector.routes.delivering.declared import parent_of, reads
from connector.routes.delivering.desk import Desk
from connector.routes.delivering.transport import transport_of
from connector.routes.reading.reading import Reading, Tally
from connector.routes.reading.readings import Readings
from connector.routes.reading.receiving import Receiver, receivers, receives
from connector.runtime.crew import Crew
from connector.runtime.ending import Counts, Ending, RunEnd, ended_since, live
from connector.runtime.floor import Floor
from connector.runtime.following import Following
from connector.runtime.holding import Holding, sentence
from connector.runtime.housekeeping import Forgetting, Writing, guarded, heartbeats, news
from connector.runtime.plan import Plan, source_of
from connector.runtime.timetable import Timetable
from connector.runtime.watching import beginning, spans, watching
from connector.telemetry.metrics import Metrics
from connector.telemetry.observer import Observer
from connector.timing import SYSTEM, Timing

__all__ = ["Runner"]

GRACE = 30.0
"""Seconds that what is under way gets to come to its end."""
LOOK_AGAIN = 5.0
"""Seconds after which it is looked in any case whether a run has come to its end."""

log = logging.getLogger(__name__)


class Runner:
    """Runs routes until everything has come to its end, or until it is stopped.

    Args:
        runtime: the configuration at work.
        store: where tasks are kept.
        plan: which routes, and what starts them.
        once: whether the run ends when everything has; else it is a service.
        observer: what counts and traces.
        fleet: whether other processes work on the same routes.
        grace: seconds that what is under way gets to come to its end when the run is stopped.
    """

    def __init__(
        self,
        runtime: Runtime,
        store: Store,
        plan: Plan,
        *,
        once: bool = False,
        observer: Observer | None = None,
        fleet: bool = False,
        grace: float = GRACE,
        timing: Timing = SYSTEM,
        wall: Callable[[], float] = time.time,
    ) -> None:
        self._runtime = runtime
        self._store = store
        self._plan = plan
        self._once = once
        self._observer = observer or Observer()
        self._grace = grace
        self._timing = timing
        self._wall = wall
        self._over = asyncio.Event()
        self._look = asyncio.Event()
        self._error: BaseException | None = None
        self._stopped = ""
        self._commits = Commits(store, self._tell, timing)
        self._desk = Desk(runtime, store, timing=timing, wall=wall, watch=watching(self._observer))
        self._desk.told = self._tell
        self._desk.running = plan.routes
        floor = Floor(
            store=store,
            commits=self._commits,
            rested=self._look.set,
            broken=self._broken,
            attempted=lambda route, state, _: self._observer.metrics.count_attempt(route, state),
            span=spans(self._observer),
            timing=timing,
            wall=wall,
            waits=Waits(timing),
        )
        self._crew = Crew(self._desk, floor, plan.routes, self._more_comes, fleet=fleet)
        self._writing = Writing(store, timing)
        self._readings = Readings(
            self._reading,
            store,
            ended=self._read,
            broken=self._broken,
            redact=runtime.redact,
            again=not once,
            timing=timing,
        )
        self._timetable = Timetable([] if once else plan.timed, store, self._commits, wall, timing)
        self._forgetting = Forgetting(runtime.configuration.retention, store, wall, timing)
        self.holding = Holding(store, self._crew, self._desk.hide.text, wall, timing)
        """What keeps tasks from going on."""
        self._ending = Ending(store, self._crew.workers.keys(), timing)
        self._following = Following(runtime.configuration, plan.routes, self._crew, self._readings, store)

    @property
    def metrics(self) -> Metrics:
        """What was counted until now."""
        return self._observer.metrics

    def receivers(self) -> Mapping[str, Receiver]:
        """What receives webhooks for its routes, by the path that they are sent to."""
        return receivers(self._desk, self._plan.routes)

    def stop(self, reason: str) -> None:
        """Reads and leases no more; what is under way comes to its end within the grace."""
        self._stopped = self._stopped or reason
        self._over.set()

    async def run(self) -> RunEnd:
        """Runs; StoreBroken, or whatever else it was, when it cannot go on."""
        began, before = self._timing.clock(), await self._store.counts()
        await self._timetable.load()
        works = self._crew.run()
        loops = [asyncio.create_task(guarded(loop, self._broken)) for loop in self._loops()]
        try:
            for route in self._first():
                self._readings.start(route)
            self._look.set()
            await self._over.wait()
            if self._error is None:
                await self._rest(works)
        finally:
            await self._readings.close()
            for task in (*works, *loops):
                task.cancel()
            await asyncio.gather(*works, *loops, return_exceptions=True)
            await self._crew.close()
        if self._error is not None:
            raise self._error
        await self._writing.write()
        return await self._end(began, before)

    def _loops(self) -> list[Coroutine[Any, Any, None]]:
        """What goes on beside the workers."""
        store, timing = self._store, self._timing
        loops: list[Coroutine[Any, Any, None]] = [
            heartbeats(self._crew, self._readings, store, timing),
            news(self._crew, store, timing),
            self._writing.run(self._look.set),
            self.holding.run(),
            self._looks(),
        ]
        return loops if self._once else [*loops, self._forgetting.run(), self._schedules()]

    def _first(self) -> list[str]:
        """The routes that are read at once."""
        configuration = self._runtime.configuration
        if not self._plan.reads:
            return []
        reads = [route for route in self._plan.routes if source_of(configuration, route) is None]
        if not self._once:
            return [route for route in reads if route in self._plan.on_start]
        after = self._plan.after
        later = {route for before in self._plan.routes for route in after.get(before, ())}
        return [route for route in reads if route not in later]

    async def _schedules(self) -> None:
        while True:
            for due in await self._timetable.due():
                log.info("schedule %r starts %s", due.name, ", ".join(due.routes))
                for route in due.routes:
                    self._readings.start(route)
            await self._timetable.wait()

    async def _looks(self) -> None:
        """Looks whenever somebody comes to rest, what may begin now and whether everything has ended."""
        while True:
            await wait_for_event(self._look, LOOK_AGAIN, self._timing)
            self._look.clear()
            self._crew.look()
            over = self._once and await self._is_over()
            # What follows reads what was written before, so files come first.
            for route in await self._following.ended() if self._writing.done else ():
                for next_ in self._plan.after.get(route, ()):
                    log.info("route %r has come to its end; %r begins", route, next_)
                    self._readings.start(next_)
            if over and not self._readings.under_way:
                self._over.set()

    async def _is_over(self) -> bool:
        if self._readings.under_way or not self._crew.idle or not (self._writing.done or self._writing.blocked):
            return False
        holds = await self.holding.look()
        return await self._ending.reached({hold.route: hold.who for hold in holds if hold.who and hold.whole})

    def _more_comes(self, name: str) -> bool:
        route, configuration = parent_of(name)[0], self._runtime.configuration
        if not self._once and not reads(name) and transport_of(configuration, route) == "batch":
            return True  # a service's batches go when they are full, or old enough
        if not self._once and receives(configuration, route):
            return True  # nobody knows when the last webhook comes
        return self._following.more_comes(name)

    def _reading(self, route: str) -> Reading:
        return Reading(
            self._runtime,
            route,
            self._store,
            self._commits,
            self._desk.keeping,
            timing=self._timing,
            trace=beginning(self._observer),
            paused=lambda name: self._crew.paused.get(name),  # noqa: PLW0108  workers may be paused later
        )

    def _read(self, route: str, tally: Tally) -> None:
        """A reading has ended: so will, sometime, the run of its route and of those that read its answers."""
        self._observer.metrics.accepted.add((route,), tally.accepted)
        self._observer.metrics.duplicates.add((route,), tally.known)
        if self._plan.after:
            self._following.begin(route)
        self._look.set()

    def _tell(self, change: Change) -> None:
        self._crew.tell(change)
        self._readings.ended(len(change.settle))
        if change.lines:
            self._writing.tell()

    def _broken(self, error: BaseException) -> None:
        self._error = self._error or error
        self._over.set()

    async def _rest(self, works: list[asyncio.Task[None]]) -> None:
        """Brings everything to rest; what takes longer than the grace is left as it stands."""
        self._crew.stop()
        try:
            async with asyncio.timeout(self._grace):
                await asyncio.gather(self._readings.stop(), *works)
        except TimeoutError:
            log.warning(
                "%d tasks were still under way after %.0f s; they go on with the next run",
                len(self._crew.leased),
                self._grace,
            )

    async def _end(self, began: float, before: Counts) -> RunEnd:
        after = await self._store.counts()
        with suppress(StoreError):
            await self.holding.keep()
        left = {route: count for route, count in live(after).items() if count}
        mine = self._crew.workers
        holds = [hold for hold in self.holding.now if left.get(hold.route)]
        stuck = {hold.route: Pause(hold.reason, Who(hold.who), None) for hold in holds if hold.who and hold.whole}
        return RunEnd(
            seconds=self._timing.clock() - began,
            ended=ended_since(before, after),
            left={route: count for route, count in left.items() if route in mine},
            elsewhere={route: count for route, count in left.items() if route not in mine},
            gone=[route for route in left if route not in mine and self._is_gone(route)],
            paused={**stuck, **self._crew.paused},
            holds=[sentence(hold) for hold in holds],
            unwritten=self._writing.fault,
            unread=self._readings.failed,
            tallies=self._readings.tallies,
            stopped=self._stopped,
        )

    def _is_gone(self, name: str) -> bool:
        """Whether no route of the configuration has such tasks any more."""
        route, ending = parent_of(name)
        if route not in self._runtime.configuration.routes:
            return True
        return bool(ending) and route in self._plan.routes
