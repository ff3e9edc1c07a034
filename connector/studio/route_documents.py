"""Documents that other processes put on a route: on disk before they are acknowledged, and once however often sent."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from connector.delivery.new_tasks import TaskIdentity
from connector.engine import ENDS, Change, Filter, NewTask, Store, Task
from connector.model import JSON, members
from connector.pipeline import Runtime

__all__ = ["Accepted", "accept_documents", "read_answers", "wait_for_end"]

LOOK = 1.0
"""Seconds between two looks at a task that another process works on, should nothing be heard of it."""


@dataclass(frozen=True, slots=True)
class Accepted:
    """One document and its task.

    Attributes:
        task: 0 when the document was accepted before and its task is no longer kept.
        known: whether it was accepted before.
    """

    key: str
    task: int
    known: bool


async def accept_documents(
    runtime: Runtime, store: Store, route: str, documents: Sequence[JSON], identity: str
) -> list[Accepted]:
    """Make documents tasks in one commit, all of them or none.

    Args:
        runtime: the configuration's.
        store: where the tasks are.
        route: a configured route.
        documents: as the route's incoming connection would give them.
        identity: what the sender repeats when it sends the same again; empty when it has nothing of the kind.
    """
    identities = TaskIdentity(runtime, route)
    tasks = [_make_task(identities, document, identity, number) for number, document in enumerate(documents)]
    accepted = (await store.commit(Change(accept=tasks))).accepted
    found: list[Accepted] = []
    for task, number in zip(tasks, accepted, strict=True):
        before = 0 if number else await _find(store, route, task.key)
        found.append(Accepted(task.key, number or before, known=not number))
    return found


def _make_task(identities: TaskIdentity, document: JSON, identity: str, number: int) -> NewTask:
    if identity:
        return identities.event(document, f"{identity}.{number}" if number else identity)
    return identities.task(document)


async def _find(store: Store, route: str, key: str) -> int:
    found = await store.tasks(Filter(route=route, key=key), limit=1)
    return found[-1].id if found else 0


async def wait_for_end(store: Store, task: int, seconds: float) -> Task | None:
    """Return a task once it has ended, or as it is after some seconds; None when there is none."""
    loop = asyncio.get_running_loop()
    until = loop.time() + seconds
    while (found := await store.task(task)) is not None and found.state not in ENDS:
        left = until - loop.time()
        if left <= 0:
            break
        await store.wait_for_change(min(left, LOOK))
    return found


def read_answers(task: Task) -> list[JSON]:
    """Return what the calls of a task were answered, in their order."""
    ended = [call for call in task.calls if call.state == "done"]
    return [members(call.outcome).get("body") for call in ended]
