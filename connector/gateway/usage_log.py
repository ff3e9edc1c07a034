"""The log of who used what in which minute: added up in memory, and appended to the file of its day."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Final

from connector.gateway.access_log import LOG
from connector.gateway.request_record import RequestRecord
from connector.model import State
from connector.pipeline.decisions import in_trouble
from connector.telemetry.costs import NO_USAGE, Usage
from connector.telemetry.usage_log import NUMBERS, End, UsageLine, list_old_files, name_file

__all__ = ["UsageLog"]

INTERVAL: Final = 10.0
"""Seconds for which what was used may be in memory only."""
MINUTE: Final = 60
MOST: Final = 50_000
"""Sums that are kept while they cannot be written; what is used beyond that is nobody's in the bill."""
DONE, REFUSED, UNKNOWN = State.DONE.value, State.REFUSED.value, State.UNKNOWN.value

Key = tuple[int, int, str, str, str, str, End]


@dataclass(slots=True)
class _Sum:
    """What requests of one key used; that is added up when it is written, as no request waits for it then."""

    requests: int = 0
    used: list[Usage] = field(default_factory=list[Usage])
    cost: float | None = 0.0


class UsageLog:
    """Adds up requests and writes them down; several processes may write into one folder.

    Args:
        folder: where the files are.
        keep: seconds after which a day's file is removed; nothing is kept for 0.
        now: seconds since 1970.
    """

    def __init__(self, folder: Path, keep: float, now: Callable[[], float]) -> None:
        self._folder = folder
        self._keep = keep
        self._now = now
        self._sums: dict[Key, _Sum] = {}
        self._timer: asyncio.TimerHandle | None = None
        self._writing: asyncio.Task[None] | None = None
        self._has_warned = False
        self._tidied = date.min

    def add(self, record: RequestRecord) -> None:
        """Add a request that has ended, if it may be billed."""
        end = _find_end(record)
        if end is None or not self._keep:
            return
        now = self._now()
        last, first = int(now) // MINUTE * MINUTE, int(now - record.seconds) // MINUTE * MINUTE
        key = (first, last, record.payer or record.caller, record.client, record.operation, record.model, end)
        found = self._sums.get(key)
        if found is None:
            if len(self._sums) >= MOST:
                return
            found = self._sums[key] = _Sum()
        found.requests += 1
        if end == "unknown":
            return
        found.used.append(record.usage)
        found.cost = None if found.cost is None or record.cost is None else found.cost + record.cost

    def start(self) -> None:
        """Write down what was added, from now on."""
        if self._keep:
            self._timer = asyncio.get_running_loop().call_later(INTERVAL, self._tick)

    async def close(self) -> None:
        """Write down the rest, and stop."""
        if self._timer is not None:
            self._timer.cancel()
        if self._writing is not None:
            await self._writing
        await self._write()

    def _tick(self) -> None:
        loop = asyncio.get_running_loop()
        if self._sums and (self._writing is None or self._writing.done()):
            self._writing = loop.create_task(self._write())
        self._timer = loop.call_later(INTERVAL, self._tick)

    async def _write(self) -> None:
        sums, self._sums = self._sums, {}
        if not sums:
            return
        try:
            await asyncio.to_thread(self._append, [_make_line(key, found) for key, found in sums.items()])
        except OSError as error:
            # What could not be written is written next time, with what is added until then.
            self._sums = _merge(sums, self._sums)
            if not self._has_warned:
                LOG.warning("who uses what is not written down: cannot write in %s: %s", self._folder, error.strerror)
            self._has_warned = True

    def _append(self, lines: Sequence[UsageLine]) -> None:
        by_day: dict[date, list[bytes]] = {}
        for line in lines:
            by_day.setdefault(datetime.fromtimestamp(line.last, UTC).date(), []).append(line.as_bytes())
        for day, written in by_day.items():
            # One write for all of them: lines of several processes do not mix.
            file = os.open(name_file(self._folder, day), os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
            try:
                os.write(file, b"".join(written))
            finally:
                os.close(file)
        self._tidy(max(by_day))

    def _tidy(self, today: date) -> None:
        """Remove files that are old enough, once a day."""
        if today == self._tidied:
            return
        self._tidied = today
        for path in list_old_files(self._folder, today - timedelta(seconds=self._keep)):
            path.unlink(missing_ok=True)


def _find_end(record: RequestRecord) -> End | None:
    """Return how a request ended that may be billed; None for any other, and for one whose answer is still made."""
    if record.usage:
        is_known = record.state == DONE
        return ("estimated" if record.is_estimated else "done") if is_known else "unknown"
    is_open = record.state == UNKNOWN or (record.state == REFUSED and in_trouble(record.status))
    return "unknown" if record.is_sent and is_open else None


def _make_line(key: Key, found: _Sum) -> UsageLine:
    first, last, token, client, operation, model, end = key
    return UsageLine(first=first, last=last, token=token, client=client, operation=operation, model=model, end=end,
                     requests=found.requests, usage=_add(found.used), cost=found.cost)  # fmt: skip


def _add(used: Sequence[Usage]) -> Usage:
    """Return the sum of many."""
    if len(used) < 2:
        return used[0] if used else NO_USAGE
    return Usage(**{name: sum([getattr(one, name) for one in used]) for name in NUMBERS})


def _merge(some: dict[Key, _Sum], others: dict[Key, _Sum]) -> dict[Key, _Sum]:
    """Return the sums of both."""
    made = dict(some)
    for key, other in others.items():
        known = made.get(key)
        if known is None:
            made[key] = other
            continue
        cost = None if known.cost is None or other.cost is None else known.cost + other.cost
        made[key] = _Sum(known.requests + other.requests, known.used + other.used, cost)
    return made
