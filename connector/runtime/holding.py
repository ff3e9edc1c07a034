"""What keeps tasks from going on: how many they are, since when, why, and what is to be done; said while it lasts."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from datetime import datetime

from connector.engine import Change, Filter, Store, StoreFull, TaskState
from connector.http.rules import Who
from connector.model import JSON, members
from connector.routes.delivering.declared import parent_of
from connector.runtime.crew import Crew, Works
from connector.runtime.ending import Counts, live
from connector.timing import SYSTEM, Timing

__all__ = ["HOLDS", "Hold", "Holding", "kept_holds", "sentence"]

HOLDS = "holds"
"""The space of records that tell other commands what holds a route up."""
LOOK = 1.0
AFTER = 3.0
"""Seconds for which something lasts before it is said."""
AGAIN = 60.0
SOME = 100
"""So many waiting tasks are looked at for what they wait for."""
TODO = {
    Who.HERE: "mend that; they go on by themselves",
    Who.USER: "somebody must act; then they go on by themselves",
    Who.NETWORK: "they go on when it is back",
    Who.OPENAI: "they go on by themselves",
    "": "they go on by themselves",
}

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Hold:
    """Why tasks of a route do not go on.

    Attributes:
        tasks: how many wait.
        since: when this was first seen, in seconds since 1970.
        who: who must act, as connector.http.rules.Who; empty when they go on by themselves.
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


def sentence(hold: Hold) -> str:
    """Return a hold in words: which tasks, since when, why, and what to do."""
    tasks = "1 task waits" if hold.tasks == 1 else f"{hold.tasks:,} tasks wait"
    due = f", next try at {_clock(hold.due)}" if hold.due else ""
    return f"route {hold.route}: {tasks} since {_clock(hold.since)}: {hold.reason}; {TODO[hold.who]}{due}"


class Holding:
    """Looks what holds the routes of a run up, and says so while it lasts.

    Args:
        store: where the tasks are.
        crew: who works on them.
        redact: hides secrets.
        wall: seconds since 1970.
    """

    def __init__(
        self,
        store: Store,
        crew: Crew,
        redact: Callable[[str], str],
        wall: Callable[[], float],
        timing: Timing = SYSTEM,
    ) -> None:
        self._store = store
        self._crew = crew
        self._redact = redact
        self._wall = wall
        self._timing = timing
        self._said: dict[str, tuple[str, float]] = {}
        self._kept: dict[str, JSON] = {}
        self.now: Sequence[Hold] = ()
        """What held routes up when it was last looked."""

    async def run(self) -> None:
        """Look again and again, and say what is new."""
        self._kept = dict(await self._store.records(HOLDS))
        while True:
            await self._timing.sleep(LOOK)
            with suppress(StoreFull):  # said by those who wait for space
                await self.look()
                await self.keep()
            self._say()

    async def look(self) -> Sequence[Hold]:
        """Return what holds routes up now."""
        counts = await self._store.counts()
        before = {(hold.route, hold.who): hold.since for hold in self.now}
        found = [hold for name, works in self._crew.workers.items() if (hold := await self._of(name, works, counts))]
        self.now = [
            replace(
                hold,
                reason=self._redact(_plainly(hold.reason)),
                since=before.get((hold.route, hold.who)) or self._wall(),
            )
            for hold in found
        ]
        return self.now

    async def keep(self) -> None:
        """Keep what holds routes up where other commands find it."""
        lasting = {hold.route: hold for hold in self.now}
        told = {route: _plain(hold) for route, hold in lasting.items()}
        gone = {route for route in self._kept if route not in told and parent_of(route)[0] in self._crew.routes}
        new = {route: known for route, known in told.items() if not _same(self._kept.get(route), known)}
        if new or gone:
            records: dict[tuple[str, str], JSON] = {(HOLDS, route): known for route, known in new.items()}
            await self._store.commit(Change(records={**records, **{(HOLDS, route): None for route in gone}}))
            self._kept = {route: known for route, known in self._kept.items() if route not in gone} | new

    async def _of(self, name: str, works: Works, counts: Counts) -> Hold | None:
        states = counts.get(name, {})
        left = live({name: states})[name]
        if not left:
            return None
        if works.paused is not None:
            due = self._wall() + works.rests if works.rests else None
            return Hold(route=name, tasks=left, reason=works.paused.reason, who=works.paused.who, due=due)
        if not works.idle:
            return self._in_part(name, works)
        return await self._idle(name, works, states, left)

    def _in_part(self, name: str, works: Works) -> Hold | None:
        """Some wait for somebody while others are under way."""
        last = works.held.last
        if last is None or not last.who:
            return None
        return Hold(route=name, tasks=works.held.blocked, reason=last.reason, who=last.who, whole=False)

    async def _idle(self, name: str, works: Works, states: Mapping[TaskState, int], left: int) -> Hold | None:
        waiting = states.get(TaskState.WAITING, 0)
        due = await self._store.next_due(name)
        orphans = await self._orphans(name) if waiting > works.held.blocked else 0
        last = works.held.last
        if orphans and waiting <= works.held.blocked + orphans:
            return Hold(route=name, tasks=left, reason=_orphaned(name), who=Who.USER)
        if last is not None and last.who and waiting <= works.held.blocked:
            who = Who.NETWORK if works.held.away else last.who
            return Hold(route=name, tasks=left, reason=last.reason, who=who, due=due)
        if last is not None:
            return Hold(route=name, tasks=waiting, reason=last.reason, due=due, whole=False)
        reason = await self._reason(name) if waiting else "another worker has them"
        return Hold(route=name, tasks=left, reason=reason, due=due, whole=False) if reason else None

    async def _reason(self, name: str) -> str:
        """What the tasks that an earlier run left wait for."""
        some = await self._store.tasks(Filter(route=name, states=(TaskState.WAITING,)), limit=1)
        return some[0].reason or "they wait for others" if some else ""

    async def _orphans(self, name: str) -> int:
        """How many tasks go in others that nobody delivers, since the route goes another way now."""
        counts = live(await self._store.counts())
        lost = [
            route
            for route, tasks in counts.items()
            if tasks and parent_of(route) == (name, parent_of(route)[1]) and route not in self._crew.workers
        ]
        found = 0
        for route in lost:
            states = (TaskState.NEW, TaskState.WAITING, TaskState.PROCESSING)
            for carrier in await self._store.tasks(Filter(route=route, states=states), limit=SOME):
                found += len(await self._store.carried_tasks(carrier.id, limit=100_000))
        return found

    def _say(self) -> None:
        """Say what has lasted for a while: when it begins, when it changes, and now and then."""
        now = self._wall()
        lasting = {hold.route: hold for hold in self.now if now - hold.since >= AFTER}
        for route, hold in lasting.items():
            known, at = self._said.get(route, ("", 0.0))
            changed = known != hold.who + hold.reason and bool(hold.who or not known)
            if changed or now - at >= AGAIN:
                log.warning(sentence(hold))
                self._said[route] = (hold.who + hold.reason, now)
        for route in self._said.keys() - lasting.keys():
            del self._said[route]
            log.info("route %s goes on", route)


def kept_holds(records: Mapping[str, JSON]) -> list[Hold]:
    """Return the holds that a run has kept."""
    found: list[Hold] = []
    for known in records.values():
        with suppress(TypeError):
            found.append(Hold(**known))
    return found


def _plainly(reason: str) -> str:
    """The reason itself, without how the call that tells of it was not made."""
    return reason.replace("not sent: ", "").replace("not tried: ", "")


def _orphaned(name: str) -> str:
    return (
        f"they are in batches that are under way, and the route sends single calls now; set `transport: batch` of its "
        f"outgoing connection again until they are in, or end them with `tasks skip --route {name}:batch`"
    )


def _plain(hold: Hold) -> JSON:
    return {key: str(value) if key == "who" else value for key, value in asdict(hold).items()}


def _same(known: JSON, new: JSON) -> bool:
    """Whether nothing changed that is worth a commit."""
    before, after = members(known), members(new)
    return all(before.get(key) == after.get(key) for key in ("who", "reason", "tasks"))


def _clock(seconds: float) -> str:
    return datetime.fromtimestamp(seconds).astimezone().strftime("%H:%M:%S")
