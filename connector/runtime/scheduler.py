"""Schedules: when each is due, and each tick claimed once in all processes, however the clock jumps."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from zoneinfo import ZoneInfo

from cronsim import CronSim, CronSimError

from connector.config.models.measures import parse_duration
from connector.engine import Change, Store
from connector.engine.commits import Committer, SpaceRetry
from connector.errors import ConfigurationError
from connector.model import JSON
from connector.runtime.context import MAX_SLEEP
from connector.timing import SYSTEM, Timing

__all__ = ["Recurrence", "Schedule", "Scheduler"]

SPACE = "schedules"
SHORTHANDS = {
    "@hourly": "0 * * * *",
    "@daily": "0 0 * * *",
    "@weekly": "0 0 * * 0",
    "@monthly": "0 0 1 * *",
    "@yearly": "0 0 1 1 *",
}
INTERVAL = re.compile(r"\d+[smhd]")


class Recurrence:
    """The times at which something is due, in seconds since 1970, the same in every process.

    Args:
        every: five cron fields, a shorthand, or an interval, which is counted from 1970 on.
        timezone: the time zone of the cron fields.
    """

    def __init__(self, every: str, timezone: str = "UTC") -> None:
        self._every = every
        self._interval: float | None = parse_duration(every) if INTERVAL.fullmatch(every) else None
        self._cron = SHORTHANDS.get(every, every)
        self._zone = ZoneInfo(timezone)

    def next_after(self, moment: float) -> float:
        """Return the first time after a moment."""
        if self._interval is not None:
            return (moment // self._interval + 1) * self._interval
        return self._find(moment, reverse=False)

    def last_until(self, moment: float) -> float:
        """Return the last time that is not after a moment."""
        if self._interval is not None:
            return moment // self._interval * self._interval
        return self._find(moment + 1, reverse=True)

    def _find(self, moment: float, *, reverse: bool) -> float:
        local = datetime.fromtimestamp(moment, UTC).astimezone(self._zone)
        try:
            return next(CronSim(self._cron, local, reverse=reverse)).timestamp()
        except (CronSimError, StopIteration):
            raise ConfigurationError(f"the schedule {self._every!r} never comes, as on the 30th of February") from None


@dataclass(frozen=True, slots=True)
class Schedule:
    """A schedule with times, and the routes that it starts."""

    name: str
    times: Recurrence
    routes: Sequence[str]


class Scheduler:
    """Finds the schedules that are due.

    Args:
        schedules: those that have times.
        store: keeps the last tick of each, and decides which process takes one.
        commit: commits to the store.
        wall: seconds since 1970.
        timing: how to wait.
    """

    def __init__(
        self,
        schedules: Sequence[Schedule],
        store: Store,
        commit: Committer,
        wall: Callable[[], float],
        timing: Timing = SYSTEM,
    ) -> None:
        self._schedules = schedules
        self._store = store
        self._commit = commit
        self._wall = wall
        self._timing = timing
        self._space = SpaceRetry(timing)
        self._last: dict[str, float] = {}

    async def load(self) -> None:
        """Read the last tick of each schedule; a schedule that is new has missed none."""
        kept: Mapping[str, JSON] = await self._store.records(SPACE)
        for schedule in self._schedules:
            self._last[schedule.name] = float(kept.get(schedule.name) or self._wall())

    async def claim_due(self) -> Sequence[Schedule]:
        """Return the schedules that are due, each once even if it missed several times, and in one process alone."""
        found: list[Schedule] = []
        for schedule in self._schedules:
            tick = self._advance(schedule)
            if tick is None:
                continue
            if await self._space.run(partial(self._store.claim, f"schedule {schedule.name}", str(int(tick)))):
                found.append(schedule)
            await self._commit(Change(records={(SPACE, schedule.name): tick}))
        return found

    async def wait(self) -> None:
        """Wait until the next tick, or until the wall clock is to be read again."""
        now = self._wall()
        waits = [schedule.times.next_after(now) - now for schedule in self._schedules]
        await self._timing.sleep(min([*waits, MAX_SLEEP]))

    def _advance(self, schedule: Schedule) -> float | None:
        """Return the tick that is due, if any, and take it for the last one."""
        now = self._wall()
        # A clock that went back: what was done in the time that comes again is not done again, what comes later is.
        last = self._last[schedule.name] = min(self._last[schedule.name], now)
        tick = schedule.times.last_until(now)
        if tick <= last:
            return None
        self._last[schedule.name] = tick
        return tick
