"""Time and chance in one value, which tests replace."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

__all__ = ["SYSTEM", "Timing"]


@dataclass(frozen=True, slots=True)
class Timing:
    """A clock in seconds, a way to wait, and random numbers between 0 and 1."""

    clock: Callable[[], float] = time.monotonic
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    chance: Callable[[], float] = random.random


SYSTEM = Timing()
