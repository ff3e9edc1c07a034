"""Which transport each task of a route takes: the rule, with what the journal tells of this account.

All that is learned is read from the store, so the processes of a fleet know the same, and a restart forgets nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from connector.delivery.batch.attempt import CANCEL, NEVER
from connector.delivery.batch.lines import is_batch_line
from connector.delivery.call_history import CallHistory, read_history, transport_of_call
from connector.delivery.context import DeliveryContext
from connector.delivery.deadlines.choice import Choice, Rest, Transport, choose, find_reserve, must_move_up
from connector.delivery.deadlines.durations import Observation
from connector.delivery.deadlines.ladder import FLEX, STANDARD, Ladder, find_model, find_names
from connector.delivery.deadlines.needed import NeededBy
from connector.delivery.deadlines.waits import AHEAD, CANCELLATIONS, find_room, rest_of
from connector.delivery.deadlines.waits import BATCH as ASSUMED_BATCH
from connector.delivery.route_spec import BATCH, RouteSpec
from connector.engine import ENDS, CallRecord, Change, Filter, Task, TaskState
from connector.model import State, members

__all__ = ["TransportPlan"]

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
        path: of what it asks.
    """

    def __init__(self, shared: DeliveryContext, spec: RouteSpec, path: str) -> None:
        settings = spec.settings
        self._shared = shared
        self._spec = spec
        self._needed = NeededBy.of(settings) or NeededBy()
        self._path = path
        self._together = settings.concurrency or spec.outgoing.concurrency
        self._read: float | None = None
        self.model = ""
        """The model that is asked, as far as that is known."""
        self._lines = 0
        self._learn(CallHistory(), (), 0.0)

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
        batches = await self._batches(now - LOOK_BACK)
        calls: dict[int, Sequence[CallRecord]] = {}
        for place in range(0, len(batches), TOGETHER):
            calls |= await store.feed.calls([task.id for task in batches[place : place + TOGETHER]])
        seen = [_Past(task, calls.get(task.id, ())) for task in batches]
        self._learn(history, seen, now)
        self._lines = sum(_requests(task) for task in batches if task.state not in ENDS)

    def count_end(self, task: Task, change: Change) -> None:
        """Count a task that a change finishes, in time or late."""
        if any(one.state is TaskState.FINISHED for one in change.settle):
            metrics, route = self._shared.observer.metrics, self._spec.route
            (metrics.late if self._shared.wall() > self.deadline(task) else metrics.in_time).add((route,))

    def choose(self, task: Task, now: float, waiting: int = 0) -> Choice:
        """Return the transport that a task takes now; so many others go by themselves or wait for their places."""
        ways = self._ways(task)
        flex = next((one for one in ways if one.name == FLEX), None)
        if flex is not None and waiting >= find_room(self._together, flex.takes.quantile(0.5)) and len(ways) > 1:
            ways = [one for one in ways if one is not flex]
        return choose(ways, self.deadline(task) - now, self.rest_of_new)

    def choose_single(self, task: Task, now: float, waiting: int) -> Choice:
        """Return how a task goes that goes by itself, now that there is a place for it, and others wait for one."""
        ways = [one for one in self._ways(task) if one is not self._batch]
        return choose(ways, self.deadline(task) - now, self._rest(waiting=waiting))

    @property
    def ways(self) -> Sequence[Transport]:
        """All transports that a new task may take."""
        return [*self._singles, self._batch]

    @property
    def rest_of_new(self) -> Rest:
        """What is kept in hand when a new task is sent."""
        return self._rest(self._spec.outgoing.batch.age)

    @property
    def standard_cost(self) -> float | None:
        """What a usual call costs at the standard price; None where the model has none."""
        return self._ladder.standard_cost

    def must_move_up(self, needed: float, now: float) -> bool:
        """Return whether a batch must be cancelled now whose first answer is needed at a time."""
        return must_move_up(self._batch, find_reserve(self._singles), needed - now, self._rest())

    def _ways(self, task: Task) -> Sequence[Transport]:
        """Return the transports that a task may take."""
        single = [call for call in task.calls if self._is_own(call)]
        paid = {transport_of_call(call) for call in single if call.state == State.DONE}
        if paid:  # what is asked for in another way is not the same, and would be paid for again
            return [one for one in self._singles if one.name in paid] or self._singles
        # What came back from a batch has waited long enough.
        ways = self._singles if _was_in_batch(task) else self.ways
        refused = any(transport_of_call(call) == FLEX for call in single)
        return [one for one in ways if one.name != FLEX] if refused else ways

    def _is_own(self, call: CallRecord) -> bool:
        """Return whether a call asked for an answer by itself, and is not one of a chain."""
        url = members(call.request).get("url")
        return not is_batch_line(call) and isinstance(url, str) and url.partition("?")[0].endswith(self._path)

    def _learn(self, history: CallHistory, past: Sequence[_Past], now: float) -> None:
        shared, self.model = self._shared, find_model(self._spec, history)
        known = shared.runtime.models.find(self.model) if self.model else None
        names = find_names(self._spec.settings, self._path, known)
        ladder = self._ladder = Ladder(names, self.model, shared.prices, history, now)
        self._singles = ladder.singles
        self._standard = next(one for one in ladder.singles if one.name == STANDARD)
        takes = ASSUMED_BATCH.learn(_observed(one.run(now) for one in past), now)
        self._batch = ladder.batch(takes, CANCELLATIONS.learn(_observed(one.cancellation(now) for one in past), now))

    def _rest(self, waits: float = 0.0, waiting: int = 0) -> Rest:
        each = self._standard.takes.quantile(0.5)
        ahead = AHEAD if any(one.name == FLEX for one in self._singles) else 0.0
        lines = self._lines + waiting
        return rest_of(lines, self._together, each, self._spec.settings.spare, POLL + waits + ahead)

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
