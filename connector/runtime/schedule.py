"""When a schedule is due: cron fields in a time zone, or intervals counted from 1970 on, alike for every worker."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from cronsim import CronSim, CronSimError

from connector.config.measures import seconds
from connector.errors import ConfigurationError

__all__ = ["Times"]

SHORTHANDS = {
    "@hourly": "0 * * * *",
    "@daily": "0 0 * * *",
    "@weekly": "0 0 * * 0",
    "@monthly": "0 0 1 * *",
    "@yearly": "0 0 1 1 *",
}
INTERVAL = re.compile(r"\d+[smhd]")


class Times:
    """The times at which something is due, in seconds since 1970.

    Args:
        every: five cron fields, a shorthand, or an interval.
        timezone: where the cron fields are meant.
    """

    def __init__(self, every: str, timezone: str = "UTC") -> None:
        self._every = every
        self._interval: float | None = seconds(every) if INTERVAL.fullmatch(every) else None
        self._cron = SHORTHANDS.get(every, every)
        self._zone = ZoneInfo(timezone)

    def after(self, moment: float) -> float:
        """The first time after a moment."""
        if self._interval is not None:
            return (moment // self._interval + 1) * self._interval
        return self._next(moment, reverse=False)

    def until(self, moment: float) -> float:
        """The last time that is not after a moment."""
        if self._interval is not None:
            return moment // self._interval * self._interval
        return self._next(moment + 1, reverse=True)

    def _next(self, moment: float, *, reverse: bool) -> float:
        local = datetime.fromtimestamp(moment, UTC).astimezone(self._zone)
        try:
            return next(CronSim(self._cron, local, reverse=reverse)).timestamp()
        except (CronSimError, StopIteration):
            raise ConfigurationError(f"the schedule {self._every!r} never comes, as on the 30th of February") from None
