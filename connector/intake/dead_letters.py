"""The tasks that documents become when they are read; one that cannot be read is kept as a task that ends at once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from connector.delivery.delivery import TaskHandler
from connector.delivery.new_tasks import TaskIdentity, digest, entity_id, raw_task, tombstone
from connector.delivery.route_spec import INCOMING, route_spec
from connector.delivery.storages import DurableStorages
from connector.documents import dump
from connector.engine import Change, NewTask, Settlement, Task, TaskState
from connector.errors import ConnectorError
from connector.model import JSON, is_object
from connector.pipeline import Runtime, revive
from connector.pipeline.chains import apply
from connector.pipeline.results import ERROR, failure_line
from connector.transform.context import Locks

if TYPE_CHECKING:
    from connector.delivery.route_spec import RouteSpec
    from connector.pipeline.reader import Read, ReadResult

__all__ = [
    "DEAD_LETTER",
    "DeadLetters",
    "Reread",
    "TaskFactory",
    "confirmed_letter",
    "dead_letter",
    "doubtful_letter",
    "is_dead_letter",
    "no_trace",
]

DEAD_LETTER = "unread "
"""How the keys of documents begin that could not be read."""
STAGE = "incoming"
"""What the error of such a document says about where it came to be."""


def dead_letter(document: JSON, reason: str) -> dict[str, JSON]:
    """Return the record of a document that could not be read, or on which the incoming connection's chain failed."""
    return failure_line(document, "failed", reason, stage=STAGE)


def doubtful_letter(document: JSON) -> JSON:
    """Return the dead letter of a document that an earlier run may have delivered."""
    return {**document, ERROR: {**document[ERROR], "stage": STAGE}}


def confirmed_letter(document: JSON) -> JSON:
    """Return a doubtful dead letter as one that is delivered all the same."""
    error = {name: value for name, value in document[ERROR].items() if name != "outcome"}
    return {**document, ERROR: {**error, "state": "failed"}}


def is_dead_letter(document: JSON) -> bool:
    """Return whether a document is a dead letter."""
    error = document.get(ERROR) if is_object(document) else None
    return is_object(error) and error.get("stage") == STAGE


class DeadLetters:
    """Ends dead letters, and passes all other tasks on to a delivery.

    Args:
        delivery: what takes all others.
        again: makes tasks of a document once more.
    """

    def __init__(self, delivery: TaskHandler, again: Reread) -> None:
        self._delivery = delivery
        self._again = again

    async def attempt(self, task: Task) -> Change:
        """Make one attempt; return the change to commit."""
        if is_dead_letter(task.document):
            return await self._end(task, task.document[ERROR])
        return await self._delivery.attempt(task)

    async def _end(self, task: Task, error: JSON) -> Change:
        if error.get("state") == "unknown" or "outcome" in error:
            reason = f"an earlier run may have delivered it: {error.get('reason')}"
            return Change(settle=[Settlement(task=task.id, state=TaskState.UNKNOWN, reason=reason)])
        try:
            return await self._again.change(task)
        except ConnectorError as failed:
            reason = self._again.redact(str(failed))
            return Change(settle=[Settlement(task=task.id, state=TaskState.FAILED, reason=reason)])


class Reread:
    """Takes a document through the incoming connection's chain once more.

    Args:
        runtime: the opened configuration.
        route: the route's name.
        keeping: the storages of chains on routes.
    """

    def __init__(self, runtime: Runtime, route: str, keeping: DurableStorages) -> None:
        name = runtime.configuration.routes[route].incoming
        incoming: Any = runtime.configuration.find("incoming", name)
        self._runtime = runtime
        self._chain = runtime.chain(incoming.chain, f"incoming.{name}.chain")
        self._intake = route_spec(runtime, route + INCOMING) if self._chain.calls else None
        self._identity = TaskIdentity(runtime, route)
        self._keeping = keeping
        self._locks = Locks()
        self.redact = runtime.redact

    async def change(self, task: Task) -> Change:
        """Return the tasks of a dead letter and its end; raise ConnectorError when it fails again."""
        document, known = revive(task.document).document, task.key.removeprefix(DEAD_LETTER)
        if self._intake is not None:
            new = raw_task(document, self._intake, known, task.version)
            new = replace(new, unique="no", source=task.id, trace=task.trace)
            return Change(accept=[new], settle=[_make_finished(task)])
        keeps = self._keeping.begin()
        chained = replace(self._runtime.chained, storages=keeps.storages)
        applied = await apply(self._chain, document, chained, self._locks)
        if applied.failed is not None:
            keeps.give_up()
            raise applied.failed
        made = [
            self._identity.task(
                one, default=f"{known}/{number}" if number else known, always=True, source=task.id, trace=task.trace
            )
            for number, one in enumerate(applied.documents)
        ]
        skipped = Settlement(task=task.id, state=TaskState.SKIPPED, reason=applied.skipped)
        settled = _make_finished(task) if made else skipped
        return Change(accept=made, settle=[settled], records=keeps.records())


def _make_finished(task: Task) -> Settlement:
    reason = "read again; what came of it are tasks of their own"
    return Settlement(task=task.id, state=TaskState.FINISHED, reason=reason)


def no_trace(route: str) -> str:  # noqa: ARG001  a real tracer names the route
    """Return an empty traceparent."""
    return ""


class TaskFactory:
    """Makes the tasks of one reading.

    Args:
        runtime: the opened configuration.
        route: the route's name.
        trace: begins the trace of a document, and gives the traceparent that goes on with it.
        intake: the implied route that takes documents on as they came; None when they are the route's own tasks.

    Attributes:
        reading: the reading's number.
        again: how often the route was reset.
    """

    def __init__(
        self,
        runtime: Runtime,
        route: str,
        trace: Callable[[str], str] = no_trace,
        intake: RouteSpec | None = None,
    ) -> None:
        self._intake = intake
        self._identity = TaskIdentity(runtime, route)
        self._redact = runtime.redact
        self._route = route
        self._trace = trace
        self.reading = 0
        self.again = 0

    def tasks(self, result: ReadResult) -> tuple[Sequence[NewTask], int]:
        """Return the tasks, and how many of them say that a document could not be read."""
        first = result.reads[0]
        if first.in_doubt:
            return [self._keep(doubtful_letter(first.document), first)], 0
        if result.failed:
            return [self._keep(dead_letter(read.document, result.failed), read) for read in result.reads], len(
                result.reads
            )
        default = self._default_key(first)
        if self._intake is not None:
            return [self._make_raw(read, self._intake) for read in result.reads], 0
        made: list[NewTask] = []
        try:
            for number, document in enumerate(result.made):
                made.append(self._make_task(document, f"{default}/{number}" if number else default))
        except ConnectorError as error:
            reason = self._redact(str(error))
            return [self._keep(dead_letter(read.document, reason), read) for read in result.reads], len(result.reads)
        return made, 0

    @property
    def takes_raw(self) -> bool:
        """Whether documents are taken on as they came."""
        return self._intake is not None

    @property
    def taken_by(self) -> str:
        """The route whose tasks the documents are."""
        return self._route if self._intake is None else self._intake.name

    def tombstone(self, key: str) -> NewTask:
        """Return a tombstone."""
        return tombstone(self.taken_by, key, reading=self.reading)

    def _make_raw(self, read: Read, intake: RouteSpec) -> NewTask:
        key, trace = self._default_key(read), self._trace(self._route)
        try:
            dump(read.document)
        except ConnectorError as error:
            return self._keep(dead_letter(read.document, self._redact(str(error))), read)
        version = f"{self._again}{digest(read.document)}"
        return replace(raw_task(read.document, intake, key, version), reading=self.reading, trace=trace)

    @property
    def _again(self) -> str:
        return f"{self.again}:" if self.again else ""

    def _make_task(self, document: JSON, default: str) -> NewTask:
        trace = self._trace(self._route)
        return self._identity.task(document, default=default, again=self._again, reading=self.reading, trace=trace)

    def _keep(self, document: JSON, read: Read) -> NewTask:
        # Not under the key of the document that it may become, which is not known.
        version = f"{self.again}:{digest(document)}"
        return NewTask(
            route=self._route, document=document, key=f"{DEAD_LETTER}{self._place_key(read)}", version=version
        )

    def _default_key(self, read: Read) -> str:
        """Return a document's default key: its position in a file, otherwise its id."""
        return self._place_key(read) if read.lasting else entity_id(read.document) or self._place_key(read)

    def _place_key(self, read: Read) -> str:
        reading = "" if read.lasting else f"{self.reading}/"
        return f"{reading}{read.part}:{read.position}"
