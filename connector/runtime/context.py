"""The parts that workers share: the context, the lease loop, slots for tasks, and reasons of waits."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Awaitable, Callable, Collection, Sequence
from dataclasses import dataclass, field

from connector.aio.tasks import cancel_all, wait_for_event
from connector.engine import Settlement, Store, Task, TaskState
from connector.engine.commits import Committer, SpaceRetry
from connector.http.policy import Pause
from connector.telemetry.observer import Observer
from connector.timing import SYSTEM, Timing

__all__ = ["MAX_SLEEP", "LeaseLoop", "TaskSlots", "WorkerContext", "guard"]

MAX_SLEEP = 30.0
"""Seconds after which the wall clock is read again, since it may jump."""
MAX_REASONS = 1000
"""The number of self-resolving waits whose reasons are kept; those of tasks that wait for a person are all kept."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerContext:
    """What the workers of a process share.

    Attributes:
        store: where tasks are leased.
        commit: commits the end of an attempt.
        on_idle: called when a worker has nothing to do.
        on_error: called with an error after which the run cannot go on.
        observer: counts attempts, and traces them.
        wall: seconds since 1970.
    """

    store: Store
    commit: Committer
    on_idle: Callable[[], None]
    on_error: Callable[[BaseException], None]
    observer: Observer = field(default_factory=Observer)
    timing: Timing = SYSTEM
    wall: Callable[[], float] = time.time
    space: SpaceRetry = field(default_factory=SpaceRetry)


@dataclass(frozen=True, slots=True)
class WaitReason:
    """What a task waits for.

    Attributes:
        who: who must act before it can go on; empty for a task that is tried again by itself.
    """

    reason: str
    who: str = ""


class WaitReasons:
    """What the tasks of a worker wait for, by their last attempts."""

    def __init__(self) -> None:
        self._blocked: dict[int, WaitReason] = {}
        self._later: dict[int, WaitReason] = {}

    def record(self, settled: Settlement) -> None:
        """Replace what is known of a task by the end of its last attempt."""
        self.forget((settled.task,))
        if settled.state is not TaskState.WAITING or not settled.reason:
            return
        if settled.who:
            self._blocked[settled.task] = WaitReason(settled.reason, settled.who)
        elif len(self._later) < MAX_REASONS:
            self._later[settled.task] = WaitReason(settled.reason)

    def forget(self, tasks: Collection[int]) -> None:
        """Leave out tasks that another worker has now."""
        for task in tasks:
            self._blocked.pop(task, None)
            self._later.pop(task, None)

    @property
    def blocked(self) -> int:
        """The number of tasks that wait for a person."""
        return len(self._blocked)

    @property
    def last(self) -> WaitReason | None:
        """The last reason; one that a person must act on comes first."""
        for reasons in (self._blocked, self._later):
            if reasons:
                return reasons[next(reversed(reasons))]
        return None

    @property
    def is_network_only(self) -> bool:
        """Whether all that is waited for is the network."""
        return bool(self._blocked) and all(wait.who == "network" for wait in self._blocked.values())


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
        self._pause: Pause | None = None
        """Why somebody holds the route."""

    def hold(self, pause: Pause | None) -> None:
        """Lease nothing while somebody holds the route; what is under way comes to its end. None lets it go on."""
        if pause != self._pause:
            self._pause = pause
            self.wake()

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


class TaskSlots:
    """Runs tasks; a slot is one coroutine for many tasks, so that a task costs no more than its own work.

    Args:
        work: handles one task.
        on_free: called when a slot has finished, or has finished a task while others are ready.
        on_error: called with an error of the work itself, after which nothing can go on.
    """

    def __init__(
        self,
        work: Callable[[Task], Awaitable[None]],
        on_free: Callable[[], None],
        on_error: Callable[[BaseException], None],
    ) -> None:
        self._work = work
        self._on_free = on_free
        self._on_error = on_error
        self._slots: set[asyncio.Task[None]] = set()
        self._cancelled: set[int] = set()
        self._ready: deque[Task] = deque()
        self._running: dict[int, asyncio.Task[None]] = {}
        self._allowed = 0

    @property
    def running(self) -> int:
        """How many tasks are under way."""
        return len(self._running)

    @property
    def ready(self) -> int:
        """How many tasks wait for a slot."""
        return len(self._ready)

    @property
    def task_ids(self) -> Sequence[int]:
        """The tasks under way and those that wait for a slot."""
        return [*self._running, *(task.id for task in self._ready)]

    def resize(self, allowed: int) -> None:
        """Change how many tasks may be under way; those that are go on."""
        self._allowed = allowed

    def add(self, tasks: Sequence[Task], allowed: int) -> None:
        """Add tasks and open slots for them, up to the number allowed."""
        self._ready.extend(tasks)
        self._allowed = allowed
        for _ in range(min(len(self._ready), allowed - len(self._slots))):
            slot = asyncio.create_task(self._run_slot())
            self._slots.add(slot)
            slot.add_done_callback(self._slots.discard)

    def cancel(self, tasks: Collection[int]) -> None:
        """Cancel these tasks; their slots go on with others."""
        self._ready = deque(task for task in self._ready if task.id not in tasks)
        for task in tasks:
            if task in self._running:
                self._cancelled.add(task)
                self._running[task].cancel()

    def drain(self) -> Sequence[Task]:
        """Remove and return the tasks that wait for a slot."""
        left = list(self._ready)
        self._ready.clear()
        return left

    async def join(self) -> None:
        """Wait until every slot has finished."""
        while self._slots:
            await asyncio.wait(self._slots)

    async def close(self) -> None:
        """Cancel everything under way."""
        await cancel_all(*self._slots)

    async def _run_slot(self) -> None:
        slot = asyncio.current_task()
        assert slot is not None  # noqa: S101  a slot is a task of the loop
        try:
            while self._ready and len(self._slots) <= self._allowed:
                await self._run_task(self._ready.popleft(), slot)
        except Exception as error:  # noqa: BLE001  every error must end the run
            self._on_error(error)
        finally:
            self._slots.discard(slot)
            self._on_free()

    async def _run_task(self, task: Task, slot: asyncio.Task[None]) -> None:
        self._running[task.id] = slot
        try:
            await self._work(task)
        except asyncio.CancelledError:
            if task.id not in self._cancelled:
                raise
            slot.uncancel()
        finally:
            self._cancelled.discard(task.id)
            del self._running[task.id]
            if self._ready:
                self._on_free()


async def guard(work: Awaitable[None], on_error: Callable[[BaseException], None]) -> None:
    """Run a loop that should never end, and report the error that ends it."""
    try:
        await work
    except Exception as error:  # noqa: BLE001  every error must end the run
        on_error(error)
