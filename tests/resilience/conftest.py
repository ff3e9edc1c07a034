"""Time that passes only while somebody waits, and chance that is given."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

import pytest

from connector.timing import Timing


@dataclass
class Clock:
    """Time that passes only while somebody waits."""

    now: float = 1000.0
    chance: float = 0.0

    async def sleep(self, seconds: float) -> None:
        until = self.now + seconds
        await asyncio.sleep(0)
        self.now = max(self.now, until)

    @property
    def timing(self) -> Timing:
        return Timing(clock=lambda: self.now, sleep=self.sleep, chance=lambda: self.chance)


@pytest.fixture
def clock() -> Clock:
    return Clock()
