"""What the workers of a process share, and what they ask of a delivery."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from connector.engine import Change, Store, Task
from connector.engine.commits import Commits, Waits
from connector.timing import SYSTEM, Timing

if TYPE_CHECKING:
    from connector.http.tries import Pause

__all__ = ["LONGEST_SLEEP", "Delivers", "Floor"]

LONGEST_SLEEP = 30.0
"""Seconds after which the wall clock is looked at again, since it may jump."""


class Delivers(Protocol):
    """What takes a leased task to what is to be committed of it."""

    @property
    def concurrency(self) -> int:
        """How many tasks may be under way."""
        ...

    @property
    def paused(self) -> Pause | None:
        """Why nothing can be delivered now."""
        ...

    @property
    def rests(self) -> float:
        """The seconds until it is worth trying again."""
        ...

    async def attempt(self, task: Task) -> Change:
        """One attempt; what is to be committed of it."""
        ...


def _nothing(*_: object) -> None:
    """Nobody is told."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Floor:
    """What the workers of a process share.

    Attributes:
        store: where tasks are leased.
        commits: the way in which the ends are committed.
        rested: told when a worker waits, for whatever reason.
        broken: told of an error after which the run cannot go on.
        attempted: told of each attempt: the route, the state that the task is in then, and the seconds it took.
        span: a span around an attempt, in the trace of its task; None where nobody hears of it.
        wall: seconds since 1970.
    """

    store: Store
    commits: Commits
    rested: Callable[[], None]
    broken: Callable[[BaseException], None]
    attempted: Callable[[str, str, float], None] = _nothing
    span: Callable[[str, Task], AbstractContextManager[object]] | None = None
    timing: Timing = SYSTEM
    wall: Callable[[], float] = time.time
    waits: Waits = field(default_factory=Waits)
