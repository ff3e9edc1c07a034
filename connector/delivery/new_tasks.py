"""The tasks that documents become: by which key, version and order they are known, and on which implied route."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Literal, Protocol

import orjson

from connector.delivery.outbox import Outbox
from connector.delivery.route_spec import GATHERED, INCOMING, INPUT, RouteSpec, parent_of
from connector.documents import dump
from connector.engine import DELETED, Change, NewTask, Settlement, Task, TaskState
from connector.model import JSON, is_object, items, members
from connector.pipeline import Runtime
from connector.subscribers.received_kinds import RECEIVING
from connector.transform import Scope, Template, compile_template
from connector.transform.placeholders import to_text

if TYPE_CHECKING:
    from connector.config.models import Route
    from connector.delivery.context import DeliveryContext

__all__ = [
    "IN_ORDER",
    "DocumentTasks",
    "Intake",
    "RequestRecords",
    "TaskIdentity",
    "digest",
    "entity_id",
    "intake_of",
    "is_gone",
    "raw_task",
    "readers_of",
    "requests_space",
    "tombstone",
]

IN_ORDER = "as it was read"
"""The one order key of documents on whose route order matters."""


class Intake(Protocol):
    """Takes on the results of a document or a request."""

    async def take(self, made: Sequence[JSON], task: Task, outbox: Outbox) -> None:
        """Add to the outbox what is to be committed with the task's end."""
        ...


def intake_of(shared: DeliveryContext, spec: RouteSpec) -> Intake | None:
    """Return what a route takes on; None for one that delivers."""
    if not spec.is_intake:
        return None
    return RequestRecords(spec.route) if spec.name.endswith(INPUT) else DocumentTasks(shared, spec)


def readers_of(runtime: Runtime, route: str, running: Sequence[str] = ()) -> Sequence[str]:
    """Return the routes for which a document of this one's incoming connection is taken on.

    An event comes once for all routes that read it, so its chain runs once; what is read is read by each route itself.
    """
    configuration = runtime.configuration
    name = configuration.routes[route].incoming
    incoming: Any = configuration.find("incoming", name)
    if incoming.subscriber.prototype not in RECEIVING:
        return (route,)
    routes = running or [one for one, settings in configuration.routes.items() if not settings.disabled]
    return [one for one in routes if configuration.routes[one].incoming == name] or (route,)


def raw_task(document: JSON, to: RouteSpec, key: str, version: str) -> NewTask:
    """Return a document as it came, which the incoming connection's chain has yet to see.

    Where order matters on the route they are taken on one after the other: what they become shows only then.
    """
    order = IN_ORDER if to.settings.order is not None and not to.gathers else ""
    return NewTask(route=to.name, document=document, key=key, version=version, order=order)


def tombstone(route: str, key: str, *, reading: int = 0, source: int = 0) -> NewTask:
    """Return the tombstone of a key's document."""
    document: JSON = {"key": key, "deleted": True}
    return NewTask(route=route, document=document, key=key, version=DELETED, reading=reading, source=source)


def requests_space(route: str) -> str:
    """Return the space of records that keep what input chains made of the requests of a reading."""
    return f"requests:{route}"


class DocumentTasks:
    """Makes tasks of the results of documents.

    Args:
        shared: what all routes of a process share.
        spec: the route that takes the documents on.
    """

    def __init__(self, shared: DeliveryContext, spec: RouteSpec) -> None:
        runtime, route = shared.runtime, spec.route
        self._store = shared.store
        self._route = route
        self._gathered = spec.name.endswith(GATHERED)
        incoming: Any = runtime.configuration.find("incoming", spec.settings.incoming)
        self._events = incoming.subscriber.prototype in RECEIVING
        self._tells_gone = spec.settings.deletions == "tombstone"
        readers = readers_of(runtime, route, shared.running)
        self._identities = {reader: TaskIdentity(runtime, reader) for reader in readers}

    async def take(self, made: Sequence[JSON], task: Task, outbox: Outbox) -> None:
        for identity in self._identities.values():
            new = [self._task(identity, document, task, number) for number, document in enumerate(made)]
            outbox.accept += new
        if self._tells_gone:
            await self._note({new.key for new in outbox.accept}, task, outbox)

    async def gone(self, task: Task) -> Change:
        """Return the change of a tombstone."""
        place = (self._space, task.key)
        keys = [str(key) for key in items(members(await self._store.record(*place)).get("keys"))]
        state = TaskState.FINISHED if keys else TaskState.SKIPPED
        settled = Settlement(task=task.id, state=state, reason="" if keys else "nothing had come of the document")
        accept = [tombstone(self._route, key, source=task.id) for key in keys]
        return Change(accept=accept, settle=[settled], records={place: None})

    def _task(self, identity: TaskIdentity, document: JSON, task: Task, number: int) -> NewTask:
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

    async def _note(self, keys: set[str], task: Task, outbox: Outbox) -> None:
        """Record the keys of a document's results, so that they are deleted with it."""
        before = members(await self._store.record(self._space, task.key))
        left = [str(key) for key in items(before.get("keys")) if key not in keys]
        outbox.accept += [tombstone(self._route, key, source=task.id) for key in left]
        outbox.records[self._space, task.key] = {"keys": sorted(keys)}

    @property
    def _space(self) -> str:
        return f"made:{self._route}"


class RequestRecords:
    """Keeps the results of a request until its reading has ended."""

    def __init__(self, route: str) -> None:
        self._space = requests_space(route)

    async def take(self, made: Sequence[JSON], task: Task, outbox: Outbox) -> None:
        outbox.records[self._space, task.key] = {"requests": [*made]}


def is_gone(task: Task) -> bool:
    """Return whether a task is the tombstone of a document that the incoming chain has yet to see."""
    return task.version == DELETED and parent_of(task.route)[1] == INCOMING


class TaskIdentity:
    """Makes tasks of a route's documents.

    Args:
        runtime: the opened configuration.
        route: the route's name.
    """

    def __init__(self, runtime: Runtime, route: str) -> None:
        found: Any = runtime.configuration.find("routes", route)
        settings: Route = found
        self._route = route
        self._key = _template(settings.key, f"routes.{route}.key")
        self._version = _template(settings.version, f"routes.{route}.version")
        self._order = _template(settings.order, f"routes.{route}.order")
        self._scope = Scope(replace(runtime.chained, route={"name": route}))

    def task(
        self,
        document: JSON,
        *,
        default: str = "",
        always: bool = False,
        again: str = "",
        reading: int = 0,
        source: int = 0,
        trace: str = "",
    ) -> NewTask:
        """Return the task of a document; raise ConnectorError when it is no JSON or its key cannot be made.

        Args:
            default: its key unless the route says how to make one; without a key every document is a new one.
            always: whether it is a new one in any case unless the route says how to make a key.
            again: a mark on the version, for documents that are taken although they were seen.
            reading: the number of the reading that saw it.
            source: the task whose answer it is.
            trace: the traceparent of what it came from.
        """
        dump(document)
        key = self._text(self._key, document) if self._key else default
        version, unique = self._version_of(document, key)
        return NewTask(
            route=self._route,
            document=document,
            key=key,
            version=f"{again}{version}",
            unique="no" if always and self._key is None else unique,
            order=self._text(self._order, document) if self._order else "",
            reading=reading,
            source=source,
            trace=trace,
        )

    def event(self, document: JSON, identity: str, *, source: int = 0, trace: str = "") -> NewTask:
        """Return the task of an event that was sent: known by what it was sent with, unless the route has a key."""
        task = self.task(document, default=identity, source=source, trace=trace)
        return task if self._key is not None else replace(task, version=identity)

    def _version_of(self, document: JSON, key: str) -> tuple[str, Literal["version", "key"]]:
        """Return the version of a document: as the route makes it, or nothing when only its key counts."""
        if self._version is not None:
            return self._text(self._version, document), "version"
        if self._key is not None:
            return "", "key"
        return digest(document) if key else "", "version"

    def _text(self, template: Template, document: JSON) -> str:
        value = template.resolve(document, self._scope)
        return "" if value is None else to_text(value)


def digest(document: JSON) -> str:
    """Return what differs when a document does, but not for another order of its members."""
    return hashlib.blake2b(orjson.dumps(document, option=orjson.OPT_SORT_KEYS), digest_size=12).hexdigest()


def entity_id(entity: JSON) -> str:
    """Return the id of an entity; empty when it has none."""
    found = entity.get("id") if is_object(entity) else None
    return str(found) if isinstance(found, str | int) and not isinstance(found, bool) else ""


def _template(text: str | None, where: str) -> Template | None:
    return None if text is None else compile_template(text, where=where)
