"""What one process has of one limit until it asks again."""

from __future__ import annotations

import math

from connector.fleet.divider import Ask, Grant
from connector.fleet.division import ROUNDING, keep_part

__all__ = ["PERIOD", "Part"]

PERIOD = 1.0
"""Seconds for which a share is given."""
SPREAD = 0.75
"""The part of the period in which a share becomes free, evenly."""
AT_ONCE = 0.25
"""The part of a share that is free at once."""


class Part:
    """The share of one process.

    Args:
        limit: the name of the limit.
        per_second: how much flows in, for all processes together.
        now: monotonic seconds.
    """

    def __init__(self, limit: str, per_second: float, now: float) -> None:
        self.limit = limit
        self._flow = per_second
        self._since = now
        self._used = 0.0
        """All that was ever used."""
        self._granted = 0.0
        """What is left of the share; negative when more was used."""
        self._kept_back = 0.0
        """What is not free yet at the beginning of the period."""
        self._arrived = self._expected = 0.0
        self._rate = 0.0
        self._away_since: float | None = None
        self.is_short = False
        """Whether less was given than was asked for."""

    @property
    def is_idle(self) -> bool:
        """Whether nothing was asked of it for some periods, and all was given back."""
        return not (self._arrived or self._expected >= 1 or self._granted)

    def arrive(self, amount: float) -> None:
        """Note a demand."""
        self._arrived += amount

    def has(self, amount: float, now: float) -> bool:
        """Return whether an amount is free now."""
        return amount <= self._granted - self._withheld(now)

    def holds(self, amount: float) -> bool:
        """Return whether an amount is free now or later in this period."""
        return amount <= self._granted

    def take(self, amount: float) -> None:
        """Use an amount; a negative one gives it back."""
        self._granted -= amount
        self._used += amount

    def ask(self, waiting: float, least: float, *, leave: bool = False) -> Ask:
        """Return what to ask for the next period.

        Args:
            waiting: what those that wait need.
            least: what the first of them needs.
            leave: whether everything is given back and nothing wanted.
        """
        # Whoever seldom calls does not take from the others what it is not likely to use.
        self._expected, self._arrived = (self._expected + self._arrived) / 2, 0.0
        want = 0.0 if leave else max(waiting, float(math.floor(self._expected + ROUNDING)))
        return Ask(self.limit, self._flow, self._used, want, max(least, 1.0))

    def receive(self, asked: Ask, grant: Grant, now: float) -> None:
        """Begin a period with what was given.

        What was used while the question was under way is used of the new share.
        """
        self._away_since = None
        self._granted = grant.amount - (self._used - asked.used)
        self._kept_back = max(self._granted - max(grant.amount * AT_ONCE, asked.least), 0.0)
        self._rate, self._since = grant.rate, now
        self.is_short = grant.amount < asked.want

    def miss(self, now: float) -> None:
        """Begin a period without an answer: the last part shrinks, and never grows."""
        if self._away_since is None:
            self._away_since = now
            self._granted = min(self._granted, 0.0)
        part = self._rate * keep_part(now - self._away_since + PERIOD)
        self._granted = min(self._granted + part * min(now - self._since, PERIOD), max(part, 1.0))
        self._kept_back, self._since, self.is_short = 0.0, now, True

    def _withheld(self, now: float) -> float:
        passed = (now - self._since) / (PERIOD * SPREAD)
        return self._kept_back * (1 - passed) if passed < 1 else 0.0
