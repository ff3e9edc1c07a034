"""Calls that hosts ask for, each paid once: the host's own identity of a call is the key of its task.

A call becomes a task before anything is sent, and is attempted while its host waits. What a killed process leaves is
attempted again only when its host asks again: nobody pays for an answer that nobody waits for.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from weakref import WeakValueDictionary

from connector.calls.attempt import ANSWERS, HostAttempt
from connector.calls.leases import Leases
from connector.delivery.attempt import RouteContext
from connector.delivery.call_journal import as_it_is
from connector.delivery.call_records import find_doubtful, list_calls
from connector.delivery.context import DeliveryContext
from connector.delivery.new_tasks import digest
from connector.engine import ENDS, CallRecord, Change, Filter, NewTask, Settlement, StoreBroken, Task, TaskState
from connector.errors import ConnectorError
from connector.model import JSON, items, members
from connector.publishers import CallIntent
from connector.runtime.housekeeping import LineFlusher
from connector.runtime.worker_pool import FailureHandler

__all__ = ["CANCELLED", "CallAnswer", "CallConflict", "HostCall", "HostCalls", "Notify", "forget_answers"]

EQUAL = "equal host calls"
"""The space of records with the last call of each content that came without a key of its host's."""
MOST_TOLD = 10_000
LOOK = 1.0
"""Seconds between two looks at a call that another process makes."""
CANCELLED = "cancelled by its host"
Notify = Callable[[str], None]


def _ignore(_: object) -> None:
    """Do nothing."""


class CallConflict(ConnectorError):
    """A key that was used for another call."""


def _never() -> bool:
    return False


@dataclass(frozen=True, slots=True, kw_only=True)
class HostCall:
    """One call that a host asks for.

    Attributes:
        document: what is sent through the connection.
        key: the host's identity of the call.
        is_named: whether the host chose the key, and so repeats it when it repeats the call.
        owner: who asks; nobody sees the calls of others.
        guard: returns a call as it may be made for the owner.
        is_left: whether a call that is broken off is left for its host to ask again, instead of ended.
    """

    document: JSON
    key: str
    is_named: bool = True
    owner: str = ""
    guard: Callable[[CallIntent], CallIntent] = as_it_is
    is_left: Callable[[], bool] = _never


@dataclass(frozen=True, slots=True, kw_only=True)
class CallAnswer:
    """What a host's call came to.

    Attributes:
        task: by which people find the call.
        is_repeat: whether this was asked before, so that nothing was sent now.
        doubts: calls that may have taken effect, with their evidence.
        response: status and headers of the last answer, and of an error its body; empty where nothing answered.
        delay: seconds until a call that has not ended may be attempted again.
    """

    task: int
    state: TaskState
    documents: Sequence[JSON] = ()
    reason: str = ""
    is_repeat: bool = False
    doubts: Sequence[CallRecord] = ()
    response: Mapping[str, JSON] = field(default_factory=dict[str, JSON])
    delay: float = 0.0


@dataclass(slots=True)
class HostCalls:
    """Makes the calls of one host's process.

    Args:
        shared: the runtime, the store and what all attempts share.
        wait: seconds for which a host is kept waiting at most.
        equal: seconds for which a call without a key of its host's is taken for the repeat of an equal one whose end
            its host was not told.
        is_patient: whether a call is attempted again here while its host waits; else its host asks again.
    """

    shared: DeliveryContext
    wait: float = 600.0
    equal: float = 86_400.0
    is_patient: bool = True
    leases: Leases = field(default_factory=Leases)
    _locks: WeakValueDictionary[str, asyncio.Lock] = field(default_factory=WeakValueDictionary[str, asyncio.Lock])
    _told: OrderedDict[str, None] = field(default_factory=OrderedDict[str, None])
    """The keys of answers that hosts were given by this process, the newest last."""
    _flusher: LineFlusher = field(init=False)

    def __post_init__(self) -> None:
        self._flusher = LineFlusher(self.shared.store, self.shared.timing)

    async def call(
        self, route: RouteContext, asked: HostCall, notify: Notify, on_accepted: Callable[[int], None] = _ignore
    ) -> CallAnswer:
        """Return what a call comes to, now or when it was asked for before; cancelling ends it.

        Args:
            route: the tool.
            asked: the call.
            notify: told why the call has to wait.
            on_accepted: is called with the call's task once that is on disk.
        """
        own = _content(route.spec.name, asked)
        async with self._alone(own if not asked.is_named else f"{asked.owner}\n{route.spec.name}\n{asked.key}"):
            task, is_new = await self._accept(route.spec.name, asked, own)
            on_accepted(task.id)
            return await self._follow(replace(route, guard=asked.guard), task, asked, notify, is_new=is_new)

    async def resume(self, route: RouteContext, task: Task, asked: HostCall) -> CallAnswer:
        """Go on with a call that an earlier process accepted."""
        return await self._follow(replace(route, guard=asked.guard), task, asked, _ignore, is_new=False)

    async def read(self, number: int) -> CallAnswer:
        """Return how far a call has come; raise CallConflict when it is no longer kept."""
        return await self._answer(number, is_repeat=True)

    async def note_told(self, route: str, asked: HostCall) -> None:
        """Note that a host was given the answer of a call: an equal one without a key is another call from then on."""
        if asked.is_named:
            return
        self._told[asked.key] = None
        while len(self._told) > MOST_TOLD:
            self._told.popitem(last=False)
        place, key = (EQUAL, digest(_content(route, asked))), f"{asked.owner}/{asked.key}"
        if members(await self.shared.store.record(*place)).get("key") == key:
            await self.shared.commit(Change(records={place: {"key": key, "told": True}}))

    async def look(self, route: str, owner: str, key: str) -> CallAnswer | None:
        """Return what a call has come to until now; None when it was never asked for."""
        found = await self._find(route, f"{owner}/{key}")
        return await self._answer(found.id, is_repeat=True) if found is not None else None

    async def is_known(self, route: str, owner: str, key: str) -> bool:
        """Return whether a call of this key was asked for before."""
        return await self._find(route, f"{owner}/{key}") is not None

    async def find_state(self, route: str, owner: str, key: str) -> TaskState | None:
        """Return where a call of this key is; None where it was never asked for."""
        found = await self._find(route, f"{owner}/{key}")
        return None if found is None else found.state

    @asynccontextmanager
    async def _alone(self, key: str) -> AsyncGenerator[None]:
        """Keep equal calls apart: the later one sees what the earlier one came to."""
        lock = self._locks.get(key)
        if lock is None:
            lock = self._locks[key] = asyncio.Lock()
        async with lock:
            yield

    async def _accept(self, route: str, asked: HostCall, equal: str) -> tuple[Task, bool]:
        """Return the task of a call, and whether it is a new one."""
        key = f"{asked.owner}/{asked.key}"  # the name of a token has no slash
        known = await self._find(route, key)
        if known is None and not asked.is_named:
            known = await self._find_lost(route, equal)
        if known is not None:
            if known.document != asked.document:
                raise CallConflict(
                    f"the key {asked.key!r} was used for a call with other arguments (task {known.id});"
                    " a repeat has the same ones, and another call needs a key of its own"
                )
            return known, False
        task = NewTask(route=route, document=asked.document, key=key, unique="key")
        records: dict[tuple[str, str], JSON] = {} if asked.is_named else {(EQUAL, digest(equal)): {"key": key}}
        [number] = (await self.shared.commit(Change(accept=[task], records=records))).accepted
        found = await (self.shared.store.task(number) if number else self._find(route, key))
        if found is None:
            raise CallConflict(
                f"the key {asked.key!r} was used for a call that is no longer kept (see `retention`), so what came of"
                " it is not known here; another call needs a key of its own"
            )
        return found, bool(number)

    async def _find(self, route: str, key: str) -> Task | None:
        found = await self.shared.store.tasks(Filter(route=route, key=key), limit=1)
        return await self.shared.store.task(found[0].id) if found else None

    async def _find_lost(self, route: str, equal: str) -> Task | None:
        """Return the last equal call, if no host knows its end and nobody works on it."""
        kept = members(await self.shared.store.record(EQUAL, digest(equal)))
        key = str(kept.get("key", ""))
        task = await self._find(route, key) if kept else None
        if task is None or task.updated < self.shared.wall() - self.equal or task.id in self.leases.held:
            return None
        if task.state is TaskState.FINISHED:
            return None if kept.get("told") or key.partition("/")[2] in self._told else task
        return task if task.state not in ENDS or task.state is TaskState.UNKNOWN else None

    async def _follow(
        self, route: RouteContext, task: Task, asked: HostCall, notify: Notify, *, is_new: bool
    ) -> CallAnswer:
        """Attempt a task until it ends, or until its host has waited long enough."""
        if task.state is TaskState.FAILED:  # nothing took effect, so its host may try again
            await self.shared.store.retry(Filter(ids=(task.id,)))
            is_new = True
        end, is_attempted = self.shared.timing.clock() + self.wait, False
        while (known := await self.shared.store.task(task.id)) is not None and known.state not in ENDS:
            if not self.is_patient and known.state is TaskState.WAITING and (is_attempted or self._rests(known) > LOOK):
                break
            leased = await self.shared.store.lease_task(task.id)
            if leased is not None:
                is_new = is_attempted = True
                await self._attempt(route, leased, asked)
                continue
            if known.reason:
                notify(known.reason)
            left = end - self.shared.timing.clock()
            if left <= 0:
                break
            rests = max(self._rests(known), 0.05) if known.state is TaskState.WAITING and known.due else LOOK
            await self.shared.timing.sleep(min(rests, left))
        return await self._answer(task.id, is_repeat=not is_new)

    def _rests(self, task: Task) -> float:
        """Return the seconds until a task is due."""
        return max(task.due - self.shared.wall(), 0.0)

    async def _attempt(self, route: RouteContext, task: Task, asked: HostCall) -> None:
        """Make one attempt, and commit what it came to."""
        with self.leases.hold(task.id):
            try:
                change = await HostAttempt(route, task).change()
            except asyncio.CancelledError:
                await asyncio.shield(self._give_back(task) if asked.is_left() else self._cancel(task))
                raise
            except StoreBroken:
                raise
            except Exception as error:  # noqa: BLE001  what broke off is decided by what may have been sent
                shared = self.shared
                fail = FailureHandler(shared.store, route.spec.settings, shared.redact.text, shared.wall, shared.timing)
                change = await fail(task, error)
            await asyncio.shield(self._commit(change))

    async def _commit(self, change: Change) -> None:
        await self.shared.commit(change)
        if change.lines:
            await self._flusher.flush()

    async def _give_back(self, task: Task) -> None:
        """Leave a call as a killed process would, for its host to ask again; what was sent is in the journal."""
        await self.shared.commit(Change(settle=[Settlement(task=task.id, state=TaskState.WAITING, uncounted=True)]))

    async def _cancel(self, task: Task) -> None:
        """End a call whose host does not wait for it: what was sent may have taken effect."""
        known = await self.shared.store.task(task.id) or task
        doubts = find_doubtful(known.calls, known.retried)
        state = TaskState.UNKNOWN if doubts else TaskState.SKIPPED
        reason = CANCELLED
        if doubts:
            reason = f"{CANCELLED} while it was under way, so it may have taken effect: {list_calls(doubts)}"
        await self.shared.commit(Change(settle=[Settlement(task=task.id, state=state, reason=reason)]))

    async def _answer(self, number: int, *, is_repeat: bool) -> CallAnswer:
        task = await self.shared.store.task(number)
        if task is None:
            raise CallConflict(f"task {number} was purged while its host waited for it")
        kept = members(await self.shared.store.record(ANSWERS, str(number)))
        return CallAnswer(
            task=number,
            state=task.state,
            documents=items(kept.get("documents")),
            reason=self.shared.redact.text(task.reason),
            is_repeat=is_repeat,
            doubts=() if task.state is TaskState.FINISHED else find_doubtful(task.calls, task.retried),
            response=members(kept.get("response")),
            delay=0.0 if task.state in ENDS else self._rests(task),
        )


def _content(route: str, asked: HostCall) -> str:
    """Return what equal calls have in common."""
    return f"{asked.owner}\n{route}\n{digest(asked.document)}"


async def forget_answers(shared: DeliveryContext, route: str, state: TaskState, before: float) -> None:
    """Delete what is kept beside the old tasks of a route, before these are purged."""
    after = 0
    wanted = Filter(route=route, states=(state,), updated_before=before)
    while tasks := await shared.store.tasks(wanted, after=after, limit=500):
        after = tasks[-1].id
        records: dict[tuple[str, str], JSON] = {(ANSWERS, str(task.id)): None for task in tasks}
        for task in tasks:
            place = digest(f"{task.key.partition('/')[0]}\n{route}\n{digest(task.document)}")
            if members(await shared.store.record(EQUAL, place)).get("key") == task.key:
                records[EQUAL, place] = None
        await shared.commit(Change(records=records))
