"""The requests of a reading, taken through an input chain that calls: as tasks, so that no call is made twice.

The results of a request are kept until the reading has ended: one that was broken off continues with the same requests.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from typing import TYPE_CHECKING

from connector.aio.tasks import wait_for_event
from connector.delivery.new_tasks import digest, entity_id, requests_space
from connector.delivery.route_spec import INPUT
from connector.engine import Change, Filter, NewTask, Store, Task, TaskState
from connector.engine.commits import Committer
from connector.errors import ConfigurationError
from connector.http.policy import Actor
from connector.model import JSON, CallFailed, Outcome, State, items, members
from connector.timing import SYSTEM, Timing

if TYPE_CHECKING:
    from connector.http.policy import Pause

__all__ = ["InputRequests"]

LOOK_AGAIN = 2.0
"""Seconds after which it is looked in any case what became of a request: another worker may have it."""
PATIENCE = 120.0
"""Seconds for which the network is waited for."""


class InputRequests:
    """Takes requests of readings through the input chain.

    Args:
        route: the route that is read.
        store: where the tasks are.
        commits: the way into the store.
        paused: why the tasks of an implied route wait until somebody has acted, or the network is back.
    """

    def __init__(
        self,
        route: str,
        store: Store,
        commits: Committer,
        paused: Callable[[str], Pause | None],
        timing: Timing = SYSTEM,
    ) -> None:
        self._name = route + INPUT
        self._space = requests_space(route)
        self._store = store
        self._commits = commits
        self._paused = paused
        self._timing = timing
        self._news = asyncio.Event()
        self._reading = ""

    def begin(self, reading: int, again: int) -> None:
        """Say which reading the requests are of."""
        self._reading = f"reading {reading}" + (f" after reset {again}" if again else "")

    def look(self) -> None:
        """Say that tasks have come to an end."""
        self._news.set()

    async def __call__(self, template: JSON, document: Mapping[str, JSON], request: JSON) -> Sequence[JSON]:
        """Return what the input chain makes of a request; CallFailed while that cannot be known."""
        key = f"{self._reading}: {digest([template, _identify(document)])}"
        kept = members(await self._store.record(self._space, key))
        if not kept:
            task = await self._wait_for_end(await self._find_task(key, request))
            if task.state is TaskState.SKIPPED:
                return ()
            kept = members(await self._store.record(self._space, key))
        return items(kept.get("requests"))

    async def forgotten(self) -> Mapping[tuple[str, str], JSON]:
        """Return the records that are of no more use when the reading has ended."""
        return {(self._space, key): None for key in await self._store.records(self._space)}

    async def _find_task(self, key: str, request: JSON) -> int:
        """Return the task of a request, which an earlier reading may have left; one that has failed is tried again."""
        known = [task async for task in _all_tasks(self._store, Filter(route=self._name, key=key))]
        if known and known[-1].state is TaskState.FAILED:
            await self._store.retry(Filter(ids=[known[-1].id], states=[TaskState.FAILED]))
        if known:
            return known[-1].id
        new = NewTask(route=self._name, document=request, key=key, unique="no")
        return (await self._commits(Change(accept=[new]))).accepted[0]

    async def _wait_for_end(self, number: int) -> Task:
        """Return the task when it has come to an end that something can be read with."""
        began = self._timing.clock()
        while True:
            self._news.clear()
            task = await self._store.task(number)
            if task is None or task.state is TaskState.FAILED:
                raise ConfigurationError(f"its input chain failed: {_describe(task)}")
            if task.state is TaskState.UNKNOWN:
                then = f"look, and then `tasks retry {number}` or `tasks skip {number}`"
                raise CallFailed(
                    Outcome(State.UNKNOWN, reason=f"its input chain has no end: {_describe(task)}; {then}")
                )
            if task.state in (TaskState.FINISHED, TaskState.SKIPPED):
                return task
            pause = self._paused(self._name)
            if pause is not None and (pause.who is not Actor.NETWORK or self._timing.clock() - began > PATIENCE):
                reason = f"its input chain waits: {pause.reason} (task {number})"
                raise CallFailed(Outcome(State.NOT_SENT, reason=reason))
            await wait_for_event(self._news, LOOK_AGAIN, self._timing)


def _describe(task: Task | None) -> str:
    return "its task is gone" if task is None else f"{task.reason} (task {task.id})"


def _identify(document: Mapping[str, JSON]) -> JSON:
    """Return what identifies a request's document, even if it has changed when it is read again."""
    return {name: entity_id(value) or value for name, value in document.items()}


async def _all_tasks(store: Store, wanted: Filter) -> AsyncGenerator[Task, None]:
    last = 0
    while tasks := await store.tasks(wanted, after=last):
        for task in tasks:
            yield task
        last = tasks[-1].id
