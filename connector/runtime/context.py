"""What the workers of a process share."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field

from connector.aio.events import wait_for_event
from connector.engine import Store, Task
from connector.engine.commits import Committer, SpaceRetry
from connector.runtime.stalls import WaitReasons
from connector.timing import SYSTEM, Timing

__all__ = ["MAX_SLEEP", "LeaseLoop", "WorkerContext", "guard"]

MAX_SLEEP = 30.0
"""Seconds after which the wall clock is read again, since it may jump."""


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


class LeaseLoop:
    """Leases tasks of one route while there may be some, and sleeps until it is woken.

    Args:
        route: whose tasks.
        context: what the workers of a process share.
    """

    def __init__(self, route: str, context: WorkerContext) -> None:
        self.route = route
        self.waits = WaitReasons()
        """What its tasks wait for."""
        self._context = context
        self._wake = asyncio.Event()
        self._has_more = True
        self._due: float | None = None
        self._is_stopping = False
        self._is_sleeping = False

    def wake(self) -> None:
        """Look for tasks to lease."""
        self._has_more = True
        self._wake.set()

    def stop(self) -> None:
        """Lease no more, and come to the end."""
        self._is_stopping = True
        self._wake.set()

    def _check_due(self) -> None:
        if self._due is not None and self._due <= self._context.wall():
            self._has_more = True

    def _seconds_until_due(self, due: float) -> float:
        return min(max(due - self._context.wall(), 0.001), MAX_SLEEP)

    async def _sleep(self, seconds: float | None) -> None:
        """Sleep until it is woken, for some seconds at most."""
        self._is_sleeping = True
        self._context.on_idle()
        await wait_for_event(self._wake, seconds, self._context.timing)
        self._is_sleeping = False


async def guard(work: Awaitable[None], on_error: Callable[[BaseException], None]) -> None:
    """Run a loop that should never end, and report the error that ends it."""
    try:
        await work
    except Exception as error:  # noqa: BLE001  whatever it is, the run has to end
        on_error(error)
