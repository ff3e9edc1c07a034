"""When the answer to a task is needed: a time of day in a time zone, or a length of time after it came."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from connector.config.models.measures import parse_time_of_day

if TYPE_CHECKING:
    from connector.config.models import Route

__all__ = ["NeededBy"]


@dataclass(frozen=True, slots=True)
class NeededBy:
    """What a route says of the time at which answers are needed; one of the two is given.

    Attributes:
        at: the time of day.
        zone: the time zone of that time.
        within: seconds after a task came.
    """

    at: time | None = None
    zone: str = "UTC"
    within: float | None = None

    @classmethod
    def of(cls, settings: Route) -> NeededBy | None:
        """Return what a configured route says; None if it says nothing."""
        if settings.needed_by is not None:
            at, zone = parse_time_of_day(settings.needed_by)
            return cls(at=at, zone=zone or settings.time_zone)
        return None if settings.within is None else cls(within=settings.within)

    def deadline(self, arrived: float) -> float:
        """Return when the answer to a task is needed that came at a time; both in seconds since 1970.

        A time of day that a change of the clocks leaves out is the moment of that change; one that it repeats is the
        first of the two.
        """
        if self.at is None:
            return arrived + (self.within or 0.0)
        zone = ZoneInfo(self.zone)
        day = datetime.fromtimestamp(arrived, zone).date()
        found = _moment(datetime.combine(day, self.at), zone)
        while found <= arrived:
            day += timedelta(days=1)
            found = _moment(datetime.combine(day, self.at), zone)
        return found


def _moment(local: datetime, zone: ZoneInfo) -> float:
    """Return a local time in seconds since 1970; the end of the gap for one that a gap leaves out."""
    before, after = local.replace(tzinfo=zone, fold=0), local.replace(tzinfo=zone, fold=1)
    first, second = before.timestamp(), after.timestamp()
    if first <= second:
        return first  # the same, or the first of two
    # In a gap the earlier offset gives the later moment: the change lies between both.
    low, high = second, first
    offset = datetime.fromtimestamp(low, UTC).astimezone(zone).utcoffset()
    while high - low > 1:
        middle = (low + high) // 2
        if datetime.fromtimestamp(middle, UTC).astimezone(zone).utcoffset() == offset:
            low = middle
        else:
            high = middle
    return float(high)
