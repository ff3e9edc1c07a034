"""What is due now: every tick once in all, those that were missed once together, however the clock jumps."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from connector.engine import Change, Store
from connector.engine.commits import Commits, Waits
from connector.model import JSON
from connector.runtime.schedule import Times
from connector.timing import SYSTEM, Timing

__all__ = ["Timed", "Timetable"]

SPACE = "schedules"
LONGEST_SLEEP = 30.0
"""Seconds after which the wall clock is looked at again, since it may jump."""


@dataclass(frozen=True, slots=True)
class Timed:
    """A schedule, and the routes that it starts."""

    name: str
    times: Times
    routes: Sequence[str]


class Timetable:
    """The schedules of a configuration.

    Args:
        schedules: those that have times.
        store: where it is kept which tick was last, and where workers agree who does it.
        commits: the way into the store.
        wall: seconds since 1970.
        timing: how to wait.
    """

    def __init__(
        self,
        schedules: Sequence[Timed],
        store: Store,
        commits: Commits,
        wall: Callable[[], float],
        timing: Timing = SYSTEM,
    ) -> None:
        self._schedules = schedules
        self._store = store
        self._commits = commits
        self._wall = wall
        self._timing = timing
        self._waits = Waits(timing)
        self._last: dict[str, float] = {}

    async def load(self) -> None:
        """Takes up which ticks have been; a schedule that is new has missed none."""
        kept: Mapping[str, JSON] = await self._store.records(SPACE)
        for schedule in self._schedules:
            self._last[schedule.name] = float(kept.get(schedule.name) or self._wall())

    async def due(self) -> Sequence[Timed]:
        """The schedules that have come to a tick, each once whatever it has missed, and for one worker alone."""
        found: list[Timed] = []
        for schedule in self._schedules:
            tick = self._tick(schedule)
            if tick is None:
                continue
            if await self._waits.until_done(partial(self._store.claim, f"schedule {schedule.name}", str(int(tick)))):
                found.append(schedule)
            await self._commits(Change(records={(SPACE, schedule.name): tick}))
        return found

    async def wait(self) -> None:
        """Until the next tick, or until the clock is to be looked at again."""
        now = self._wall()
        waits = [schedule.times.after(now) - now for schedule in self._schedules]
        await self._timing.sleep(min([*waits, LONGEST_SLEEP]))

    def _tick(self, schedule: Timed) -> float | None:
        now = self._wall()
        # A clock that went back: what was done in the time that comes again is not done again, what comes later is.
        last = self._last[schedule.name] = min(self._last[schedule.name], now)
        tick = schedule.times.until(now)
        if tick <= last:
            return None
        self._last[schedule.name] = tick
        return tick
