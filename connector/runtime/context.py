"""What the workers of a process share, and what they ask of the handler of their tasks."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from connector.engine import Change, Store, Task
from connector.engine.commits import Committer, SpaceRetry
from connector.timing import SYSTEM, Timing

if TYPE_CHECKING:
    from connector.http.policy import Pause

__all__ = ["MAX_SLEEP", "TaskHandler", "WorkerContext", "guard"]

MAX_SLEEP = 30.0
"""Seconds after which the wall clock is read again, since it may jump."""


class TaskHandler(Protocol):
    """Makes one attempt at a leased task."""

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
        """The seconds until another attempt is worth it."""
        ...

    async def attempt(self, task: Task) -> Change:
        """Make one attempt and return the change to commit."""
        ...


def _ignore(*_: object) -> None:
    pass


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerContext:
    """What the workers of a process share.

    Attributes:
        store: where tasks are leased.
        commit: commits the end of an attempt.
        on_idle: called when a worker has nothing to do.
        on_error: called with an error after which the run cannot go on.
        on_attempt: called after each attempt with the route and the new state of the task.
        span: opens a span around an attempt, in the trace of its task; None without tracing.
        wall: seconds since 1970.
    """

    store: Store
    commit: Committer
    on_idle: Callable[[], None]
    on_error: Callable[[BaseException], None]
    on_attempt: Callable[[str, str], None] = _ignore
    span: Callable[[str, Task], AbstractContextManager[object]] | None = None
    timing: Timing = SYSTEM
    wall: Callable[[], float] = time.time
    space: SpaceRetry = field(default_factory=SpaceRetry)


async def guard(work: Awaitable[None], on_error: Callable[[BaseException], None]) -> None:
    """Run a loop that should never end, and report the error that ends it."""
    try:
        await work
    except Exception as error:  # noqa: BLE001  whatever it is, the run has to end
        on_error(error)
