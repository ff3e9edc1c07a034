"""Which transport each task of a route takes: the rule, with what the journal tells of this account.

All that is learned is read from the store, so the processes of a fleet know the same, and a restart forgets nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from connector.config.models.measures import parse_time_of_day
from connector.delivery.batch.attempt import NEVER
from connector.delivery.batch.lines import is_batch_line
from connector.delivery.call_history import read_history
from connector.delivery.context import DeliveryContext
from connector.delivery.deadlines.choice import Choice, Rest, Transport, choose, must_move_up
from connector.delivery.deadlines.durations import Observation
from connector.delivery.deadlines.needed import NeededBy
from connector.delivery.deadlines.waits import BATCH as ASSUMED_BATCH
from connector.delivery.deadlines.waits import CALLS, CANCELLATIONS, rest_of
from connector.delivery.route_spec import BATCH, RouteSpec
from connector.engine import ENDS, CallRecord, Filter, Task
from connector.model import State, members

__all__ = ["CANCEL", "TransportPlan"]

CANCEL = "batch cancellations create"
LOOK_BACK = 60 * 86_400.0
MOST_BATCHES = 300
TOGETHER = 100
STALE = 300.0
"""Seconds after which what is known is read anew."""
POLL = 60.0
"""Seconds that pass at most until somebody looks after a batch."""


class TransportPlan:
    """Decides for the tasks of one route.

    Args:
        shared: whose journal is read.
        spec: a route that says when its answers are needed.
    """

    def __init__(self, shared: DeliveryContext, spec: RouteSpec) -> None:
        settings = spec.settings
        self._shared = shared
        self._spec = spec
        self._needed = NeededBy(within=settings.within)
        if settings.needed_by is not None:
            at, zone = parse_time_of_day(settings.needed_by)
            self._needed = NeededBy(at=at, zone=zone or settings.time_zone)
        self._read: float | None = None
        self._standard = Transport("standard", 1.0, CALLS.learn((), 0.0))
        self._batch = Transport("batch", 0.5, ASSUMED_BATCH.learn((), 0.0), CANCELLATIONS.learn((), 0.0))
        self._lines = 0

    def deadline(self, task: Task) -> float:
        """Return when the answer to a task is needed, in seconds since 1970."""
        return self._needed.deadline(task.created)

    async def refresh(self) -> None:
        """Read what is known, unless that was done lately."""
        now = self._shared.wall()
        if self._read is not None and 0 <= now - self._read < STALE:
            return
        self._read = now
        store = self._shared.store
        history = await read_history(store, self._shared.prices, self._spec.route)
        seconds = [Observation(one.seconds, one.at) for one in history.calls if one.own and one.seconds > 0]
        batches = await self._batches(now - LOOK_BACK)
        calls: dict[int, Sequence[CallRecord]] = {}
        for place in range(0, len(batches), TOGETHER):
            calls |= await store.feed.calls([task.id for task in batches[place : place + TOGETHER]])
        seen = [_Past(task, calls.get(task.id, ())) for task in batches]
        cancelled = CANCELLATIONS.learn(_observed(one.cancellation(now) for one in seen), now)
        self._standard = Transport("standard", 1.0, CALLS.learn(seconds, now))
        self._batch = Transport(
            "batch", 0.5, ASSUMED_BATCH.learn(_observed(one.run(now) for one in seen), now), cancelled
        )
        self._lines = sum(_requests(task) for task in batches if task.state not in ENDS)

    def choose(self, task: Task, now: float) -> Choice:
        """Return the transport that a task takes now."""
        left = self.deadline(task) - now
        # What came back from a batch has waited long enough.
        ways = [self._standard] if _was_in_batch(task) else [self._standard, self._batch]
        return choose(ways, left, self._rest(self._spec.outgoing.batch.age))

    def must_move_up(self, needed: float, now: float) -> bool:
        """Return whether a batch must be cancelled now whose first answer is needed at a time."""
        return must_move_up(self._batch, self._standard, needed - now, self._rest())

    def _rest(self, waits: float = 0.0) -> Rest:
        settings = self._spec.settings
        together = settings.concurrency or self._spec.outgoing.concurrency
        each = self._standard.takes.quantile(0.5)
        return rest_of(self._lines, together, each, settings.spare, POLL + waits)

    async def _batches(self, since: float) -> list[Task]:
        """Return the newest batches, the oldest first."""
        found, after = list[Task](), 0
        wanted = Filter(route=self._spec.route + BATCH, updated_after=since)
        while page := await self._shared.store.tasks(wanted, after=after, limit=1_000):
            found, after = [*found, *page][-MOST_BATCHES:], page[-1].id
        return found


class _Past:
    """One batch, and what its time tells."""

    def __init__(self, task: Task, calls: Sequence[CallRecord]) -> None:
        self._task = task
        self._is_over = task.state in ENDS
        self._is_made = any(call.operation == "batches create" and call.state == State.DONE for call in calls)
        self._cancel = next((call for call in calls if call.operation == CANCEL and call.state == State.DONE), None)

    def run(self, now: float) -> Observation | None:
        """Return how long it took; one that was cancelled, or is under way, takes longer than it did until then."""
        if not self._is_made:
            return None
        if self._cancel is not None:
            return Observation(max(self._cancel.started - self._task.created, 0.0), self._cancel.started, ended=False)
        until = self._task.updated if self._is_over else now
        return Observation(max(until - self._task.created, 1.0), until, ended=self._is_over)

    def cancellation(self, now: float) -> Observation | None:
        """Return how long it took to be cancelled."""
        if self._cancel is None:
            return None
        until = self._task.updated if self._is_over else now
        return Observation(max(until - self._cancel.started, 0.0), until, ended=self._is_over)


def _observed(found: Iterable[Observation | None]) -> Iterator[Observation]:
    return (one for one in found if one is not None)


def _requests(task: Task) -> int:
    count = members(task.document).get("requests")
    return count if isinstance(count, int) else 0


def _was_in_batch(task: Task) -> bool:
    """Return whether lines of a task came back from a batch without an answer."""
    return any(
        is_batch_line(call) and call.state == State.NOT_SENT and members(call.outcome).get("reason") != NEVER
        for call in task.calls
    )
