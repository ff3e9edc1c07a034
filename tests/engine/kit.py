"""Short words for what tests do to a store again and again."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from connector.engine import CallEnd, CallRecord, Change, NewTask, Settlement, Store, Task, TaskState

__all__ = ["accept", "call", "counts", "end", "finish", "lease_one", "new", "settle"]


def new(document: Any = None, route: str = "route", **more: Any) -> NewTask:
    return NewTask(route=route, document={} if document is None else document, **more)


async def accept(store: Store, *tasks: NewTask) -> Sequence[int]:
    return (await store.commit(Change(accept=tasks))).accepted


async def lease_one(store: Store, route: str = "route") -> Task:
    [task] = await store.lease(route, 1)
    return task


async def settle(store: Store, task: int, state: TaskState, **more: Any) -> None:
    await store.commit(Change(settle=[Settlement(task=task, state=state, **more)]))


async def finish(store: Store, *tasks: int) -> None:
    await store.commit(Change(settle=[Settlement(task=task, state=TaskState.FINISHED) for task in tasks]))


def call(task: int, attempt: int = 1, number: int = 0, **more: Any) -> CallRecord:
    given = {"fingerprint": "f", "target": "openai", "operation": "files.create", "effect": "reconcilable", **more}
    return CallRecord(task=task, attempt=attempt, number=number, **given)


def end(task: int, attempt: int = 1, number: int = 0, state: str = "done", **more: Any) -> CallEnd:
    return CallEnd(task=task, attempt=attempt, number=number, ended=2.0, state=state, **more)


async def counts(store: Store, route: str = "route") -> dict[str, int]:
    return {str(state): tasks for state, tasks in (await store.counts(route)).get(route, {}).items() if tasks}
