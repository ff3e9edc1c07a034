"""A whole run: routes are read and delivered, schedules start them, and everything is brought to rest at the end."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Coroutine, Mapping, Sequence
from contextlib import suppress
from typing import Any

from connector.aio.tasks import cancel_all, wait_for_event
from connector.delivery.context import DeliveryContext
from connector.delivery.route_spec import is_intake, parent_of
from connector.delivery.transports import transport_of
from connector.engine import Change, Store, StoreError
from connector.engine.commits import Committer, SpaceRetry
from connector.http.policy import Actor, Pause
from connector.intake.reading import ReadingCounts, RouteReading
from connector.intake.readings import Readings
from connector.intake.receivers import Receiver, receivers, receives
from connector.pipeline import Runtime
from connector.runtime.completion import CompletionCheck, RouteDependencies, RunResult, count_ended
from connector.runtime.context import WorkerContext, guard
from connector.runtime.housekeeping import LineFlusher, RetentionPurger, send_heartbeats, watch_store
from connector.runtime.kept_configuration import keep_configuration
from connector.runtime.plan import Plan
from connector.runtime.route_control import RouteControl
from connector.runtime.scheduler import Scheduler
from connector.runtime.stalls import Counts, Stall, StallMonitor, count_live, describe_stall
from connector.runtime.worker_pool import WorkerPool
from connector.telemetry.observer import Metrics, Observer
from connector.timing import SYSTEM, Timing

__all__ = ["Runner"]

GRACE = 30.0
"""Seconds that what is under way gets to come to its end."""
CHECK_INTERVAL = 5.0
"""Seconds after which a run checks in any case whether it has come to its end."""

log = logging.getLogger(__name__)


class Runner:
    """Runs routes until everything has come to its end, or until it is stopped.

    Args:
        runtime: the opened configuration.
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
        self._over = asyncio.Event()
        self._check = asyncio.Event()
        self._error: BaseException | None = None
        self._stop_reason = ""
        self._commit = Committer(store, self._on_commit, timing)
        self._shared = self._make_delivery_context(wall)
        self._pool = WorkerPool(self._shared, self._make_context(wall), plan.routes, self._has_more, fleet=fleet)
        self._readings = self._make_readings()
        self._control = RouteControl(plan.routes, self._pool, self._readings.start, store, self._commit, wall, timing)
        self._flusher = LineFlusher(store, timing)
        self._scheduler = Scheduler([] if once else plan.schedules, store, self._commit, wall, timing)
        self._purger = RetentionPurger(runtime.configuration.retention, store, wall, timing)
        self._monitor = StallMonitor(store, self._pool.workers, self._shared.redact.text, wall, timing)
        self._completion = CompletionCheck(store, self._pool.workers.keys(), timing)
        self._dependencies = RouteDependencies(
            runtime.configuration, plan.routes, self._pool, lambda: self._readings.under_way, store
        )

    @property
    def metrics(self) -> Metrics:
        """What was counted until now."""
        return self._observer.metrics

    @property
    def stalls(self) -> list[str]:
        """What keeps tasks from going on, each in a sentence."""
        return [describe_stall(stall) for stall in self._monitor.stalls]

    @property
    def stalled_routes(self) -> list[str]:
        """The routes whose tasks do not go on."""
        return [stall.route for stall in self._monitor.stalls]

    def receivers(self) -> Mapping[str, Receiver]:
        """Return what receives webhooks for the routes, by the path that they are sent to."""
        return receivers(self._shared, self._plan.routes)

    def stop(self, reason: str) -> None:
        """Read and lease no more; what is under way comes to its end within the grace."""
        self._stop_reason = self._stop_reason or reason
        self._over.set()

    async def run(self) -> RunResult:
        """Run to the end; raise StoreBroken, or the error itself, when the run cannot continue."""
        began, before = self._timing.clock(), await self._store.counts()
        await self._scheduler.load()
        await self._control.open()
        await keep_configuration(self._store, self._runtime.configuration, self._shared.wall())
        workers = self._pool.start()
        loops = [asyncio.create_task(guard(loop, self._on_error)) for loop in self._loops()]
        try:
            for route in self._plan.read_first(self._runtime.configuration, once=self._once):
                self._control.start_reading(route)
            self._check.set()
            await self._over.wait()
            if self._error is None:
                await self._drain(workers)
        finally:
            await self._readings.close()
            await cancel_all(*workers, *loops)
            await self._pool.close()
            await self._control.close()
        if self._error is not None:
            raise self._error
        await self._flusher.flush()
        return await self._make_result(began, before)

    def _make_delivery_context(self, wall: Callable[[], float]) -> DeliveryContext:
        return DeliveryContext(
            self._runtime,
            self._store,
            timing=self._timing,
            wall=wall,
            observer=self._observer,
            on_commit=self._on_commit,
            running=self._plan.routes,
        )

    def _make_context(self, wall: Callable[[], float]) -> WorkerContext:
        return WorkerContext(
            store=self._store,
            commit=self._commit,
            on_idle=self._check.set,
            on_error=self._on_error,
            observer=self._observer,
            timing=self._timing,
            wall=wall,
            space=SpaceRetry(self._timing),
        )

    def _make_readings(self) -> Readings:
        return Readings(
            self._make_reading,
            self._store,
            ended=self._on_read,
            broken=self._on_error,
            redact=self._runtime.redact,
            again=not self._once,
            timing=self._timing,
        )

    def _make_reading(self, route: str) -> RouteReading:
        return RouteReading(
            self._runtime,
            route,
            self._store,
            self._commit,
            self._shared.storages,
            timing=self._timing,
            trace=self._observer.start_trace,
            paused=lambda name: self._pool.paused.get(name),  # noqa: PLW0108  workers may be paused later
        )

    def _loops(self) -> list[Coroutine[Any, Any, None]]:
        """Return what goes on beside the workers."""
        store, timing = self._store, self._timing
        loops: list[Coroutine[Any, Any, None]] = [
            send_heartbeats(self._pool, self._readings, store, timing),
            watch_store(self._pool, store, timing),
            self._flusher.run(self._check.set),
            self._monitor.run(),
            self._control.run(),
            self._check_progress(),
        ]
        return loops if self._once else [*loops, self._purger.run(), self._start_scheduled()]

    async def _start_scheduled(self) -> None:
        while True:
            for schedule in await self._scheduler.claim_due():
                log.info("schedule %r starts %s", schedule.name, ", ".join(schedule.routes))
                for route in schedule.routes:
                    self._control.start_reading(route)
            await self._scheduler.wait()

    async def _check_progress(self) -> None:
        """Check, whenever a worker is idle, what may begin now and whether everything has ended."""
        while True:
            await wait_for_event(self._check, CHECK_INTERVAL, self._timing)
            self._check.clear()
            self._pool.recheck()
            is_over = self._once and await self._is_over()
            # What follows reads what was written before, so files come first.
            for route in await self._pop_ended():
                for follower in self._plan.after.get(route, ()):
                    log.info("route %r has come to its end; %r begins", route, follower)
                    self._control.start_reading(follower)
            if is_over and not self._readings.under_way:
                self._over.set()

    async def _pop_ended(self) -> Sequence[str]:
        """Return the routes that have ended and that others come after."""
        return await self._dependencies.pop_ended() if self._plan.after and self._flusher.is_done else ()

    async def _is_over(self) -> bool:
        is_written = self._flusher.is_done or self._flusher.is_blocked
        if self._readings.under_way or not self._pool.is_idle or not is_written:
            return False
        stalls = await self._monitor.look()
        return await self._completion.is_complete({stall.route: stall.who for stall in stalls if _needs_action(stall)})

    def _has_more(self, name: str) -> bool:
        route, configuration = parent_of(name)[0], self._runtime.configuration
        if not self._once and not is_intake(name) and transport_of(configuration, route) == "batch":
            return True  # a service's batches go when they are full, or old enough
        if not self._once and receives(configuration, route):
            return True  # another webhook may always come
        return self._dependencies.has_more(name)

    def _on_read(self, route: str, tally: ReadingCounts) -> None:
        self._observer.metrics.accepted.add((route,), tally.accepted)
        self._observer.metrics.duplicates.add((route,), tally.known)
        if self._plan.after:
            self._dependencies.begin_end(route)
        self._check.set()

    def _on_commit(self, change: Change) -> None:
        self._pool.notify(change)
        if change.settle and self._readings.under_way:
            self._readings.ended(len(change.settle))
        if change.lines:
            self._flusher.notify()

    def _on_error(self, error: BaseException) -> None:
        self._error = self._error or error
        self._over.set()

    async def _drain(self, workers: list[asyncio.Task[None]]) -> None:
        """Bring everything to rest; what takes longer than the grace is left as it is."""
        self._pool.stop()
        try:
            async with asyncio.timeout(self._grace):
                await asyncio.gather(self._readings.stop(), *workers)
        except TimeoutError:
            log.warning(
                "%d tasks were still under way after %.0f s; they go on with the next run",
                len(self._pool.leased),
                self._grace,
            )

    async def _make_result(self, began: float, before: Counts) -> RunResult:
        after = await self._store.counts()
        with suppress(StoreError):
            await self._monitor.keep()
        left = {route: count for route, count in count_live(after).items() if count}
        mine = self._pool.workers
        stalls = [stall for stall in self._monitor.stalls if left.get(stall.route)]
        stuck = {stall.route: Pause(stall.reason, Actor(stall.who), None) for stall in stalls if _needs_action(stall)}
        return RunResult(
            seconds=self._timing.clock() - began,
            ended=count_ended(before, after),
            left={route: count for route, count in left.items() if route in mine},
            elsewhere={route: count for route, count in left.items() if route not in mine},
            gone=[route for route in left if route not in mine and self._is_gone(route)],
            paused={**stuck, **self._pool.paused},
            stalls=[describe_stall(stall) for stall in stalls],
            unwritten=self._flusher.fault,
            unread=self._readings.failed,
            tallies=self._readings.tallies,
            stopped=self._stop_reason,
        )

    def _is_gone(self, name: str) -> bool:
        """Return whether no route of the configuration has such tasks any more."""
        route, suffix = parent_of(name)
        if route not in self._runtime.configuration.routes:
            return True
        return bool(suffix) and route in self._plan.routes


def _needs_action(stall: Stall) -> bool:
    return bool(stall.who) and stall.whole
