"""Ticks: in their time zone, once each, once for all that were missed, however the clock jumps."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from connector.engine.commits import Committer
from connector.errors import ConfigurationError
from connector.runtime.scheduler import Recurrence, Schedule, Scheduler
from tests.runtime.memory import MemoryStore

AMSTERDAM = "Europe/Amsterdam"


def at(text: str, zone: str = "UTC") -> float:
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)).timestamp()


@pytest.mark.parametrize(("every", "zone", "moment", "following"), [
    ("0 3 * * *", "UTC", at("2026-03-01T02:59:59"), at("2026-03-01T03:00")),
    ("0 3 * * *", "UTC", at("2026-03-01T03:00"), at("2026-03-02T03:00")),
    ("0 3 * * *", AMSTERDAM, at("2026-07-01T00:00"), at("2026-07-01T03:00", AMSTERDAM)),
    ("30 9 * * mon-fri", AMSTERDAM, at("2026-05-01T10:00", AMSTERDAM), at("2026-05-04T09:30", AMSTERDAM)),
    # the hour that does not exist in spring, and the one that comes twice in autumn
    ("30 2 * * *", AMSTERDAM, at("2026-03-28T12:00", AMSTERDAM), at("2026-03-29T03:00", AMSTERDAM)),
    ("30 2 * * *", AMSTERDAM, at("2026-10-25T02:30", AMSTERDAM), at("2026-10-26T02:30", AMSTERDAM)),
    ("@weekly", "UTC", at("2026-05-01T00:00"), at("2026-05-03T00:00")),
    ("15m", "UTC", at("2026-05-01T00:07"), at("2026-05-01T00:15")),
    ("6h", "UTC", at("2026-05-01T06:00"), at("2026-05-01T12:00")),
])  # fmt: skip
def test_the_next_time(every: str, zone: str, moment: float, following: float) -> None:
    times = Recurrence(every, zone)
    assert times.next_after(moment) == following
    assert times.last_until(following) == following
    assert times.last_until(following - 1) < following


def test_a_time_that_never_comes_is_said() -> None:
    with pytest.raises(ConfigurationError, match="never comes"):
        Recurrence("0 0 30 2 *").next_after(0)


class Desk:
    """A timetable with a clock that a test sets."""

    def __init__(self, every: str = "0 * * * *", store: MemoryStore | None = None) -> None:
        self.now = at("2026-03-01T10:20")
        self.store = store or MemoryStore()
        commits = Committer(self.store, lambda _: None)
        self.table = Scheduler(
            [Schedule("hourly", Recurrence(every), ["route"])], self.store, commits, lambda: self.now
        )

    async def due(self, text: str) -> int:
        self.now = at(text)
        return len(await self.table.claim_due())


async def test_each_tick_once() -> None:
    desk = Desk()
    await desk.table.load()
    assert await desk.due("2026-03-01T10:59:59") == 0
    assert await desk.due("2026-03-01T11:00:00") == 1
    assert await desk.due("2026-03-01T11:00:01") == 0
    assert await desk.due("2026-03-01T12:00:20") == 1


async def test_what_was_missed_while_nobody_ran_is_done_once() -> None:
    first = Desk()
    await first.table.load()
    assert await first.due("2026-03-01T11:00") == 1
    second = Desk(store=first.store)
    second.now = at("2026-03-03T08:30")
    await second.table.load()
    assert await second.due("2026-03-03T08:30") == 1
    assert await second.due("2026-03-03T08:31") == 0


async def test_a_schedule_that_is_new_has_missed_nothing() -> None:
    desk = Desk()
    await desk.table.load()
    assert await desk.due("2026-03-01T10:21") == 0


async def test_one_worker_alone_does_what_is_due() -> None:
    first = Desk()
    second = Desk(store=first.store)
    await first.table.load()
    await second.table.load()
    assert [await first.due("2026-03-01T11:00"), await second.due("2026-03-01T11:00")] == [1, 0]


async def test_a_clock_that_jumps_repeats_nothing_and_stops_nothing() -> None:
    desk = Desk()
    await desk.table.load()
    assert await desk.due("2026-03-01T11:00") == 1
    assert await desk.due("2027-03-01T11:30") == 1, "forward by a year: once"
    assert await desk.due("2026-03-01T10:30") == 0, "back: what was done is not done again"
    assert await desk.due("2026-03-01T11:00") == 0
    assert await desk.due("2026-03-01T12:00") == 1, "and what comes is not waited for a year"


async def test_it_sleeps_until_the_next_tick_and_looks_at_the_clock_now_and_then() -> None:
    slept: list[float] = []

    async def sleep(seconds: float) -> None:
        slept.append(seconds)

    from connector.timing import Timing

    desk = Desk()
    desk.table._timing = Timing(sleep=sleep)
    await desk.table.wait()
    desk.now = at("2026-03-01T10:59:55")
    await desk.table.wait()
    assert slept == [30.0, 5.0]
