"""What keeps tasks from going on: how many, since when, why, and what to do about it; logged while it lasts."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING, Protocol

from connector.delivery.route_spec import parent_of
from connector.engine import LIVE, Change, Filter, Store, StoreFull, TaskState
from connector.http.policy import Actor
from connector.model import JSON, members
from connector.runtime.context import WaitReasons
from connector.timing import SYSTEM, Timing

if TYPE_CHECKING:
    from connector.http.policy import Pause

__all__ = [
    "STALLS",
    "Counts",
    "Stall",
    "StallMonitor",
    "count_live",
    "describe_stall",
    "read_stalls",
]

Counts = Mapping[str, Mapping[TaskState, int]]
STALLS = "holds"
"""The space of records in which other commands find what keeps a route from going on."""
INTERVAL = 1.0
MIN_AGE = 3.0
"""Seconds for which a stall lasts before it is logged."""
LOG_INTERVAL = 60.0
SAMPLE = 100
"""Waiting tasks that are read for what they wait for."""
ADVICE = {
    Actor.HERE: "mend that; they go on by themselves",
    Actor.USER: "somebody must act; then they go on by themselves",
    Actor.NETWORK: "they go on when it is back",
    Actor.OPENAI: "they go on by themselves",
    "": "they go on by themselves",
}

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Stall:
    """Why tasks of a route do not go on; its fields are those of the record that is kept.

    Attributes:
        tasks: how many wait.
        since: when this was first seen, in seconds since 1970.
        who: who must act, as connector.http.policy.Actor; empty when they go on by themselves.
        due: when they are tried again, if that is known.
        whole: whether nothing else of the route can go on.
    """

    route: str
    tasks: int
    reason: str
    since: float = 0.0
    who: str = ""
    due: float | None = None
    whole: bool = True


def describe_stall(stall: Stall) -> str:
    """Return a stall in words: which tasks, since when, why, and what to do."""
    tasks = "1 task waits" if stall.tasks == 1 else f"{stall.tasks:,} tasks wait"
    due = f", next try at {_clock(stall.due)}" if stall.due else ""
    return f"route {stall.route}: {tasks} since {_clock(stall.since)}: {stall.reason}; {ADVICE[stall.who]}{due}"


def read_stalls(records: Mapping[str, JSON]) -> list[Stall]:
    """Return the stalls that a run has kept."""
    found: list[Stall] = []
    for record in records.values():
        with suppress(TypeError):
            found.append(Stall(**record))
    return found


def count_live(counts: Counts) -> dict[str, int]:
    """Return how many tasks have not come to an end, by route."""
    return {route: sum(number for state, number in states.items() if state in LIVE) for route, states in counts.items()}


class Stallable(Protocol):
    """What a monitor asks of a worker."""

    @property
    def waits(self) -> WaitReasons: ...
    @property
    def paused(self) -> Pause | None: ...
    @property
    def rests(self) -> float: ...
    @property
    def is_idle(self) -> bool: ...


class StallMonitor:
    """Finds what keeps the routes of a run from going on, and logs it while it lasts.

    Args:
        store: where the tasks are.
        workers: the workers by the names of their routes, implied ones included.
        redact: hides secrets.
        wall: seconds since 1970.
    """

    def __init__(
        self,
        store: Store,
        workers: Mapping[str, Stallable],
        redact: Callable[[str], str],
        wall: Callable[[], float],
        timing: Timing = SYSTEM,
    ) -> None:
        self._store = store
        self._workers = workers
        self._routes = {parent_of(name)[0] for name in workers}
        self._redact = redact
        self._wall = wall
        self._timing = timing
        self._logged: dict[str, tuple[str, float]] = {}
        self._kept: dict[str, JSON] = {}
        self.stalls: Sequence[Stall] = ()
        """What the last look found."""

    async def run(self) -> None:
        """Look again and again, and log what is new."""
        self._kept = dict(await self._store.records(STALLS))
        while True:
            await self._timing.sleep(INTERVAL)
            with suppress(StoreFull):  # those who wait for space log it
                await self.look()
                await self.keep()
            self._log()

    async def look(self) -> Sequence[Stall]:
        """Return what keeps routes from going on now."""
        counts = await self._store.counts()
        before = {(stall.route, stall.who): stall.since for stall in self.stalls}
        found = [stall for name, worker in self._workers.items() if (stall := await self._find(name, worker, counts))]
        self.stalls = [
            replace(
                stall,
                reason=self._redact(_shorten(stall.reason)),
                since=before.get((stall.route, stall.who)) or self._wall(),
            )
            for stall in found
        ]
        return self.stalls

    async def keep(self) -> None:
        """Keep the stalls where other commands find them."""
        current = {stall.route: _as_record(stall) for stall in self.stalls}
        gone = {route for route in self._kept if route not in current and parent_of(route)[0] in self._routes}
        new = {route: record for route, record in current.items() if not _is_same(self._kept.get(route), record)}
        if new or gone:
            records: dict[tuple[str, str], JSON] = {(STALLS, route): record for route, record in new.items()}
            await self._store.commit(Change(records={**records, **{(STALLS, route): None for route in gone}}))
            self._kept = {route: record for route, record in self._kept.items() if route not in gone} | new

    async def _find(self, name: str, worker: Stallable, counts: Counts) -> Stall | None:
        states = counts.get(name, {})
        left = count_live({name: states})[name]
        if not left:
            return None
        if worker.paused is not None:
            due = self._wall() + worker.rests if worker.rests else None
            return Stall(route=name, tasks=left, reason=worker.paused.reason, who=worker.paused.who, due=due)
        if not worker.is_idle:
            return _find_partial(name, worker.waits)
        return await self._find_idle(name, worker.waits, states, left)

    async def _find_idle(
        self, name: str, waits: WaitReasons, states: Mapping[TaskState, int], left: int
    ) -> Stall | None:
        waiting = states.get(TaskState.WAITING, 0)
        due = await self._store.next_due(name)
        orphans = await self._count_orphans(name) if waiting > waits.blocked else 0
        last = waits.last
        if orphans and waiting <= waits.blocked + orphans:
            return Stall(route=name, tasks=left, reason=_orphaned(name), who=Actor.USER)
        if last is not None and last.who and waiting <= waits.blocked:
            who = Actor.NETWORK if waits.is_network_only else last.who
            return Stall(route=name, tasks=left, reason=last.reason, who=who, due=due)
        if last is not None:
            return Stall(route=name, tasks=waiting, reason=last.reason, due=due, whole=False)
        reason = await self._read_reason(name) if waiting else "another worker has them"
        return Stall(route=name, tasks=left, reason=reason, due=due, whole=False) if reason else None

    async def _read_reason(self, name: str) -> str:
        """Return what the tasks that an earlier run left wait for."""
        some = await self._store.tasks(Filter(route=name, states=(TaskState.WAITING,)), limit=1)
        return some[0].reason or "they wait for others" if some else ""

    async def _count_orphans(self, name: str) -> int:
        """Count the tasks carried by tasks that are not delivered, since the route now uses another transport."""
        counts = count_live(await self._store.counts())
        lost = [
            route
            for route, tasks in counts.items()
            if tasks and parent_of(route) == (name, parent_of(route)[1]) and route not in self._workers
        ]
        found = 0
        for route in lost:
            states = (TaskState.NEW, TaskState.WAITING, TaskState.PROCESSING)
            for carrier in await self._store.tasks(Filter(route=route, states=states), limit=SAMPLE):
                found += len(await self._store.carried_tasks(carrier.id, limit=100_000))
        return found

    def _log(self) -> None:
        """Log what has lasted for a while: when it begins, when it changes, and now and then."""
        now = self._wall()
        lasting = {stall.route: stall for stall in self.stalls if now - stall.since >= MIN_AGE}
        for route, stall in lasting.items():
            known, at = self._logged.get(route, ("", 0.0))
            has_changed = known != stall.who + stall.reason and bool(stall.who or not known)
            if has_changed or now - at >= LOG_INTERVAL:
                log.warning(describe_stall(stall))
                self._logged[route] = (stall.who + stall.reason, now)
        for route in self._logged.keys() - lasting.keys():
            del self._logged[route]
            log.info("route %s goes on", route)


def _find_partial(name: str, waits: WaitReasons) -> Stall | None:
    """Return the stall of a route some of whose tasks wait for a person while others are under way."""
    last = waits.last
    if last is None or not last.who:
        return None
    return Stall(route=name, tasks=waits.blocked, reason=last.reason, who=last.who, whole=False)


def _shorten(reason: str) -> str:
    """Return the reason itself, without how the call that tells of it was not made."""
    return reason.replace("not sent: ", "").replace("not tried: ", "")


def _orphaned(name: str) -> str:
    return (
        f"they are in batches that are under way, and the route sends single calls now; set `transport: batch` of its "
        f"outgoing connection again until they are in, or end them with `tasks skip --route {name}:batch`"
    )


def _as_record(stall: Stall) -> JSON:
    return {key: str(value) if key == "who" else value for key, value in asdict(stall).items()}


def _is_same(known: JSON, new: JSON) -> bool:
    """Return whether nothing changed that is worth a commit."""
    before, after = members(known), members(new)
    return all(before.get(key) == after.get(key) for key in ("who", "reason", "tasks"))


def _clock(seconds: float) -> str:
    return datetime.fromtimestamp(seconds).astimezone().strftime("%H:%M:%S")
