"""What becomes of what is read where the incoming connection's chains call: documents are tasks, requests are kept.

A document is accepted as it came, as a task of `NAME:incoming`, and its chain runs in that task's attempts: so its
calls are in a journal, and what was paid for is not paid for again. What comes of it are tasks of the route.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Protocol

from connector.engine import DELETED, Change, NewTask, Settlement, Task, TaskState
from connector.model import JSON, items, members
from connector.routes.delivering.declared import GATHERED, INCOMING, INPUT, Declared, parent_of
from connector.routes.delivering.draft import Draft
from connector.routes.reading.identity import Identity
from connector.subscribers.webhook import WEBHOOK

if TYPE_CHECKING:
    from connector.connections import Runtime
    from connector.routes.delivering.desk import Desk

__all__ = [
    "IN_ORDER",
    "Documents",
    "Intake",
    "Requests",
    "intake_of",
    "is_gone",
    "raw",
    "readers_of",
    "requests_space",
    "tombstone",
]


IN_ORDER = "as it was read"
"""The one order key of documents on whose route order matters."""


class Intake(Protocol):
    """What takes on what came of a document or a request."""

    async def take(self, made: Sequence[JSON], task: Task, draft: Draft) -> None:
        """Adds to the draft what is to be committed with the task's end."""
        ...


def intake_of(desk: Desk, declared: Declared) -> Intake | None:
    """What a route takes on; None for one that delivers."""
    if not declared.reads:
        return None
    return Requests(declared.route) if declared.name.endswith(INPUT) else Documents(desk, declared)


def readers_of(runtime: Runtime, route: str, running: Sequence[str] = ()) -> Sequence[str]:
    """The routes for which a document of this one's incoming connection is taken on.

    An event comes once for all routes that read it, so its chain runs once; what is read is read by each route itself.
    """
    configuration = runtime.configuration
    name = configuration.routes[route].incoming
    incoming: Any = configuration.find("incoming", name)
    if incoming.subscriber.prototype != WEBHOOK.name:
        return (route,)
    routes = running or [one for one, settings in configuration.routes.items() if not settings.disabled]
    return [one for one in routes if configuration.routes[one].incoming == name] or (route,)


def raw(document: JSON, to: Declared, key: str, version: str) -> NewTask:
    """A document as it came, which the incoming connection's chain has yet to see.

    Where order matters on the route they are taken on one after the other: what they become shows only then.
    """
    order = IN_ORDER if to.settings.order is not None and not to.gathers else ""
    return NewTask(route=to.name, document=document, key=key, version=version, order=order)


def tombstone(route: str, key: str, *, reading: int = 0, source: int = 0) -> NewTask:
    """What tells that the document of a key is gone."""
    document: JSON = {"key": key, "deleted": True}
    return NewTask(route=route, document=document, key=key, version=DELETED, reading=reading, source=source)


def requests_space(route: str) -> str:
    """The space of records that keep what input chains made of the requests of a reading."""
    return f"requests:{route}"


class Documents:
    """Makes tasks of what came of documents.

    Args:
        desk: what all routes of a process share.
        declared: the route that takes the documents on.
    """

    def __init__(self, desk: Desk, declared: Declared) -> None:
        runtime, route = desk.runtime, declared.route
        self._store = desk.store
        self._route = route
        self._gathered = declared.name.endswith(GATHERED)
        incoming: Any = runtime.configuration.find("incoming", declared.settings.incoming)
        self._events = incoming.subscriber.prototype == WEBHOOK.name
        self._tells_gone = declared.settings.deletions == "tombstone"
        readers = readers_of(runtime, route, desk.running)
        self._identities = {reader: Identity(runtime, reader) for reader in readers}

    async def take(self, made: Sequence[JSON], task: Task, draft: Draft) -> None:
        for identity in self._identities.values():
            new = [self._task(identity, document, task, number) for number, document in enumerate(made)]
            draft.accept += new
        if self._tells_gone:
            await self._note({new.key for new in draft.accept}, task, draft)

    async def gone(self, task: Task) -> Change:
        """What is to be committed of a task that tells that a document is gone."""
        place = (self._space, task.key)
        keys = [str(key) for key in items(members(await self._store.record(*place)).get("keys"))]
        state = TaskState.FINISHED if keys else TaskState.SKIPPED
        settled = Settlement(task=task.id, state=state, reason="" if keys else "nothing had come of the document")
        accept = [tombstone(self._route, key, source=task.id) for key in keys]
        return Change(accept=accept, settle=[settled], records={place: None})

    def _task(self, identity: Identity, document: JSON, task: Task, number: int) -> NewTask:
        default = f"{task.key}{'.' if self._events else '/'}{number}" if number else task.key
        if self._events:
            return identity.event(document, default, source=task.id, trace=task.trace)
        again, mark, _ = task.version.rpartition(":")
        return identity.task(
            document,
            default=default,
            always=self._gathered,
            again=again + mark,
            source=task.id,
            trace=task.trace,
        )

    async def _note(self, keys: set[str], task: Task, draft: Draft) -> None:
        """Keeps what came of a document, so that all of it is gone when the document is."""
        before = members(await self._store.record(self._space, task.key))
        left = [str(key) for key in items(before.get("keys")) if key not in keys]
        draft.accept += [tombstone(self._route, key, source=task.id) for key in left]
        draft.records[self._space, task.key] = {"keys": sorted(keys)}

    @property
    def _space(self) -> str:
        return f"made:{self._route}"


class Requests:
    """Keeps what came of a request until the reading that it is for has ended."""

    def __init__(self, route: str) -> None:
        self._space = requests_space(route)

    async def take(self, made: Sequence[JSON], task: Task, draft: Draft) -> None:
        draft.records[self._space, task.key] = {"requests": [*made]}


def is_gone(task: Task) -> bool:
    """Whether a task tells that a document is gone that has yet to go through the incoming connection's chain."""
    return task.version == DELETED and parent_of(task.route)[1] == INCOMING
