"""What people tell a run while it works: pause a route, resume it, read it now; kept in the store."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Protocol

from connector.engine import Change, Store, StoreError
from connector.engine.commits import Committer
from connector.http.policy import Actor, Pause
from connector.model import JSON, is_document
from connector.timing import SYSTEM, Timing

__all__ = [
    "RUNS",
    "RouteControl",
    "RoutePause",
    "RunnerInfo",
    "pause_record",
    "read_pauses",
    "read_runners",
    "resume_record",
    "run_record",
]

PAUSES, RUNS, RUNNERS = "route-pauses", "route-runs", "runners"
"""The spaces of records: routes that are paused; those that are to be read now; runs, and when each was last seen."""
INTERVAL = 1.0
"""Seconds between two looks at what people have said."""
HEARTBEAT = 10.0
GONE = 35.0
"""Seconds after its last heartbeat when a run counts as gone."""
FORGOTTEN = 86_400.0
"""Seconds after which the record of a run that was killed is removed."""

log = logging.getLogger(__name__)

Records = Mapping[tuple[str, str], JSON]


@dataclass(frozen=True, slots=True)
class RoutePause:
    """A route that somebody has paused.

    Attributes:
        by: who did it; empty when that is not known.
        since: seconds since 1970.
    """

    route: str
    reason: str
    by: str
    since: float

    @property
    def sentence(self) -> str:
        """Why nothing is delivered, in words."""
        who = f" by {self.by}" if self.by else ""
        return f"paused{who}{f': {self.reason}' if self.reason else ''}; `route resume {self.route}` ends that"


@dataclass(frozen=True, slots=True)
class RunnerInfo:
    """A run that is at work: its worker's name, when it began, which routes it delivers."""

    worker: str
    since: float
    routes: Sequence[str]


def pause_record(route: str, reason: str, by: str, now: float) -> Records:
    """Return the record that pauses a route in every run, those that begin later too."""
    return {(PAUSES, route): {"reason": reason, "by": by, "since": now}}


def resume_record(route: str) -> Records:
    """Return the record that ends a pause."""
    return {(PAUSES, route): None}


def run_record(route: str, by: str, now: float) -> Records:
    """Return the record by which a run reads a route now, or as soon as there is a run."""
    return {(RUNS, route): {"by": by, "at": now}}


async def read_pauses(store: Store) -> Mapping[str, RoutePause]:
    """Return the routes that people have paused, by name."""
    found: dict[str, RoutePause] = {}
    for route, record in (await store.records(PAUSES)).items():
        known = record if is_document(record) else {}
        reason, by = str(known.get("reason") or ""), str(known.get("by") or "")
        found[route] = RoutePause(route, reason, by, float(known.get("since") or 0.0))
    return found


async def read_runners(store: Store, now: float) -> Sequence[RunnerInfo]:
    """Return the runs that are at work, the one that began first first."""
    found: list[RunnerInfo] = []
    for worker, record in (await store.records(RUNNERS)).items():
        known = record if is_document(record) else {}
        if now - float(known.get("seen") or 0.0) < GONE:
            routes = [str(route) for route in known.get("routes") or ()]
            found.append(RunnerInfo(worker, float(known.get("since") or 0.0), routes))
    return sorted(found, key=lambda runner: runner.since)


class Holdable(Protocol):
    """The workers of a run, which can be held by route."""

    def hold(self, pauses: Mapping[str, Pause]) -> None: ...


class RouteControl:
    """Does in a run what people have said, within a second or two.

    Args:
        routes: the configured routes of the run.
        workers: hold what is paused.
        start: begins to read a route.
        store: where it was said.
        commit: commits to the store.
        wall: seconds since 1970.
    """

    def __init__(
        self,
        routes: Sequence[str],
        workers: Holdable,
        start: Callable[[str], None],
        store: Store,
        commit: Committer,
        wall: Callable[[], float],
        timing: Timing = SYSTEM,
    ) -> None:
        self._routes = frozenset(routes)
        self._workers = workers
        self._start = start
        self._store = store
        self._commit = commit
        self._wall = wall
        self._timing = timing
        self._since = self._seen = 0.0
        self._postponed: set[str] = set()
        self.pauses: Mapping[str, RoutePause] = {}
        """The routes that are paused."""

    async def open(self) -> None:
        """Say that this run is at work, and hold what was paused before it began."""
        self._since = self._wall()
        known = await self._store.records(RUNNERS)
        old = [worker for worker, record in known.items() if self._is_forgotten(record)]
        await self._beat({(RUNNERS, worker): None for worker in old})
        await self._look()

    async def close(self) -> None:
        """Say that this run has ended."""
        with suppress(StoreError):
            await self._commit(Change(records={(RUNNERS, self._store.worker): None}))

    async def run(self) -> None:
        """Look again and again what people have said."""
        while True:
            await self._timing.sleep(INTERVAL)
            if self._wall() - self._seen >= HEARTBEAT:
                await self._beat({})
            await self._look()
            await self._start_asked()

    def start_reading(self, route: str) -> None:
        """Begin to read a route; one that is paused is read when it is resumed."""
        if route in self.pauses:
            log.info("route %r is to be read, and is paused: it is read when it is resumed", route)
            self._postponed.add(route)
        else:
            self._start(route)

    async def _look(self) -> None:
        found = {route: pause for route, pause in (await read_pauses(self._store)).items() if route in self._routes}
        if found == self.pauses:
            return
        for route in found.keys() - self.pauses.keys():
            log.warning("route %s is %s", route, found[route].sentence)
        for route in self.pauses.keys() - found.keys():
            log.info("route %s is resumed", route)
        self.pauses = found
        self._workers.hold({route: Pause(pause.sentence, Actor.USER, None) for route, pause in found.items()})
        due = {route for route in self._postponed if route not in found}
        self._postponed -= due
        for route in sorted(due):
            self._start(route)

    async def _start_asked(self) -> None:
        """Begin the readings that somebody has asked for, each in one run of all."""
        asked = await self._store.records(RUNS)
        for route, record in asked.items():
            if route not in self._routes or route in self.pauses:
                continue
            at = float(record.get("at") or 0.0) if is_document(record) else 0.0
            if await self._store.claim(f"run {route}", repr(at)):
                log.info("route %r is read now, as somebody asked", route)
                self._start(route)
                await self._commit(Change(records={(RUNS, route): None}))

    async def _beat(self, more: Records) -> None:
        now = self._seen = self._wall()
        alive = {"since": self._since, "seen": now, "routes": sorted(self._routes)}
        await self._commit(Change(records={(RUNNERS, self._store.worker): alive, **more}))

    def _is_forgotten(self, record: JSON) -> bool:
        seen = float(record.get("seen") or 0.0) if is_document(record) else 0.0
        return self._wall() - seen > FORGOTTEN
