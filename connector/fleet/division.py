"""How a limit is divided: who wants little gets it, and the others have the rest in equal parts.

Nothing is given that did not flow in before, whatever processes say, when they die, and when they are not heard from:
what a silent process may still use by its last part is counted as used.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

from connector.fleet.divider import Answer, Ask, Grant, Sign

__all__ = [
    "ACCRUED",
    "FORGOTTEN",
    "KEPT",
    "LATE",
    "ROOM",
    "ROOM_SHORT",
    "ROUNDING",
    "MemoryDivider",
    "find_level",
    "keep_part",
]

KEPT = 0.7
"""What a process without a divider keeps of its part from one second to the next."""
LATE, FORGOTTEN = 1.5, 12.0
"""Seconds after which a process that does not ask counts as silent, and as gone."""
COUNTED = 1.0
"""Seconds after which all demands are looked at again."""
ROOM, ROOM_SHORT = 1.0, 1.5
"""Seconds of the flow that may be saved up: together with what was given, so that no minute has two per cent more than
it should; and while there is not enough for all, when it is somebody's part that waits for him."""
PROBE = 15.0
"""Seconds between two calls, of all processes, that find out whether the reason of a pause is gone."""
ROUNDING = 1e-9
ACCRUED = 3.0
"""Seconds for which a process may be behind with its asking and still gets its whole part."""


def keep_part(silent: float) -> float:
    """Return what is left of a process's part after some seconds without a divider."""
    return KEPT ** max(silent, 0.0) if silent < FORGOTTEN else 0.0


def find_level(wants: Iterable[float], flow: float) -> float:
    """Return the most that any process gets a second, so that all together get the flow and none more than it wants.

    It is infinite where there is enough for all.
    """
    rest, ordered = flow, sorted(wants)
    for place, want in enumerate(ordered):
        level = rest / (len(ordered) - place)
        if want >= level:
            return max(level, 0.0)
        rest -= want
    return math.inf


@dataclass(slots=True)
class _Share:
    """What one process has of a limit."""

    asked: float
    used: float
    want: float = 0.0
    credit: float = 0.0
    """Its part that it was not given yet, as it was too small to be of use."""
    rate: float = 0.0
    granted: float = 0.0
    charged: float = 0.0
    """What was counted as used while nothing was heard of it."""


@dataclass(slots=True)
class _Limit:
    """One limit and its shares."""

    left: float
    filled: float
    counted: float
    level: float
    given: float = 0.0
    """What processes have, as far as they have not said that they used it."""
    first: str = ""
    """The process whose turn it is, since it has credit and there was not enough left."""
    kept: float = 0.0
    """What is kept for it."""
    shares: dict[str, _Share] = field(default_factory=dict[str, _Share])

    def fill(self, flow: float, now: float) -> None:
        """Let in what flowed since the last time."""
        passed = max(now - self.filled, 0.0)
        is_short = self.level < flow and passed < LATE
        room = max(flow * ROOM_SHORT - self.given / 2 if is_short else flow * ROOM - self.given, self.kept, 1.0)
        self.left = max(self.left, min(room, self.left + flow * passed))
        self.filled = now

    def count(self, flow: float, now: float) -> None:
        """Look at all demands: find the level, and count what silent processes may use by themselves."""
        passed, lost, wants = min(now - self.counted, LATE), 0.0, list[float]()
        for process, share in list(self.shares.items()):
            silent = now - share.asked
            if silent >= LATE and process == self.first:
                self.first, self.kept = "", 0.0
            if silent >= FORGOTTEN:
                self.given -= self.shares.pop(process).granted
            elif silent >= LATE:
                part = share.rate * keep_part(silent - 1.0)
                lost += part
                share.charged += part * passed
            else:
                wants.append(share.want)
        self.left -= lost * passed
        self.level, self.counted = find_level(wants, max(flow - lost, 0.0)), now

    def give(self, process: str, ask: Ask, now: float) -> Grant:
        """Take back what a process did not use, and give it what it is due."""
        flow = ask.per_second
        share = self._take_back(process, ask, now)
        passed, share.asked = max(now - share.asked, 0.0), now
        self.fill(flow, now)
        if now - self.counted >= COUNTED:
            self.count(flow, now)
        want = max(ask.want, ask.least) if ask.want > 0 else 0.0
        share.want = min(want, max(flow, ask.least))
        share.rate = min(share.want, self.level)
        # More than flows in between two questions is what others did not use; it is given out in the same parts.
        due = share.rate * (1 + max(self.left / flow - 1, 0.0)) * min(passed, ACCRUED)
        # While there is enough for all, nobody waits for its second to pass.
        share.credit = share.want if self.level >= flow else min(share.credit + due, share.want)
        if process == self.first:
            self.first, self.kept = "", 0.0
        left = self.left - self.kept
        amount = float(math.floor(min(share.credit, left) + ROUNDING))
        if left > max(flow / 2, ask.least):
            # Nobody has claimed it: it is lent to who comes, rather than lost.
            amount = max(amount, ask.least, float(math.floor(min(math.ceil(share.credit - ROUNDING), want, left))))
        share.granted = amount = amount if amount >= ask.least and share.want else 0.0
        if not self.first and not amount and share.want and share.credit >= ask.least - ROUNDING:
            self.first, self.kept = process, ask.least
        share.credit -= amount
        self.left -= amount
        self.given += amount
        share.used = ask.used
        self.shares[process] = share
        return Grant(amount, share.rate)

    def _take_back(self, process: str, ask: Ask, now: float) -> _Share:
        share = self.shares.get(process)
        if share is None:
            share = _Share(now - 1.0, ask.used)
        # Whoever was silent says itself what it used.
        self.left += share.granted + share.charged - max(ask.used - share.used, 0.0)
        self.given -= share.granted
        share.granted = share.charged = 0.0
        return share


@dataclass(slots=True)
class _Account:
    """What was said of one account."""

    held_until: float = 0.0
    pause: str = ""
    probe_at: float = 0.0

    def hear(self, sign: Sign, now: float) -> Sign:
        """Take in what one process says; return what holds for all."""
        self.held_until = max(self.held_until, now + sign.hold)
        if sign.resumed:
            self.pause = ""
        if sign.pause:
            self.pause, self.probe_at = sign.pause, now + PROBE
        may_probe = sign.probe and (not self.pause or now >= self.probe_at)
        if may_probe:
            self.probe_at = now + PROBE
        return Sign(sign.account, max(self.held_until - now, 0.0), self.pause, probe=may_probe)


class MemoryDivider:
    """A divider for the processes that reach this one, or for a simulation.

    Args:
        clock: seconds of any kind.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._limits: dict[str, _Limit] = {}
        self._accounts: dict[str, _Account] = {}

    async def open(self) -> None:
        """Nothing is to be opened."""

    async def exchange(self, process: str, asks: Sequence[Ask], signs: Sequence[Sign]) -> Answer:
        return Answer(self.divide(process, asks), [self._pass_on(sign) for sign in signs])

    async def close(self) -> None:
        """Nothing is open."""

    def divide(self, process: str, asks: Sequence[Ask]) -> Sequence[Grant]:
        """Divide without waiting."""
        now = self._clock()
        return [self._limit(ask, now).give(process, ask, now) for ask in asks]

    def _pass_on(self, sign: Sign) -> Sign:
        return self._accounts.setdefault(sign.account, _Account()).hear(sign, self._clock())

    def _limit(self, ask: Ask, now: float) -> _Limit:
        limit = self._limits.get(ask.limit)
        if limit is None:
            limit = self._limits[ask.limit] = _Limit(ask.least, now, now, math.inf)
        return limit
