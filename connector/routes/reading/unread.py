"""Documents of which no task could be made: they are kept as tasks all the same, which end at once and say why."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from connector.connections import Runtime, revived
from connector.connections.applying import apply
from connector.connections.records import ERROR, kept
from connector.engine import Change, Settlement, Task, TaskState
from connector.errors import ConnectorError
from connector.model import JSON, is_object
from connector.routes.delivering.declared import INCOMING, declared
from connector.routes.delivering.intake import raw
from connector.routes.delivering.keeping import Keeping
from connector.routes.reading.identity import Identity
from connector.transform.context import Locks

if TYPE_CHECKING:
    from connector.http.policy import Pause
    from connector.runtime.context import TaskHandler

__all__ = ["UNREAD", "Again", "Unread", "in_doubt", "is_unread", "unread", "without_doubt"]

UNREAD = "unread "
"""How the keys of documents begin that could not be read."""
STAGE = "incoming"
"""What the error of such a document says about where it came to be."""


def unread(document: JSON, reason: str) -> dict[str, JSON]:
    """What is kept of a document that could not be read, or that the incoming connection's chain failed on."""
    return kept(document, "failed", reason, stage=STAGE)


def in_doubt(document: JSON) -> JSON:
    """What is kept of a line that says that nobody saw the end of an earlier delivery."""
    return {**document, ERROR: {**document[ERROR], "stage": STAGE}}


def without_doubt(document: JSON) -> JSON:
    """The same as one that somebody has decided to deliver, whatever an earlier run did."""
    error = {name: value for name, value in document[ERROR].items() if name != "outcome"}
    return {**document, ERROR: {**error, "state": "failed"}}


def is_unread(document: JSON) -> bool:
    """Whether this is what is kept of such a document."""
    error = document.get(ERROR) if is_object(document) else None
    return is_object(error) and error.get("stage") == STAGE


class Unread:
    """A delivery that takes such tasks to their end, and all others to the delivery that it stands before.

    Args:
        delivery: what takes all others.
        again: makes tasks of a document once more.
    """

    def __init__(self, delivery: TaskHandler, again: Again) -> None:
        self._delivery = delivery
        self._again = again

    @property
    def concurrency(self) -> int:
        """How many tasks may be under way."""
        return self._delivery.concurrency

    @property
    def paused(self) -> Pause | None:
        """Why nothing can be delivered now."""
        return self._delivery.paused

    @property
    def rests(self) -> float:
        """The seconds until it is worth trying again."""
        return self._delivery.rests

    async def attempt(self, task: Task) -> Change:
        """One attempt; what is to be committed of it."""
        if is_unread(task.document):
            return await self._ended(task, task.document[ERROR])
        return await self._delivery.attempt(task)

    async def _ended(self, task: Task, error: JSON) -> Change:
        if error.get("state") == "unknown" or "outcome" in error:
            reason = f"an earlier run may have delivered it: {error.get('reason')}"
            return Change(settle=[Settlement(task=task.id, state=TaskState.UNKNOWN, reason=reason)])
        try:
            return await self._again.change(task)
        except ConnectorError as failed:
            reason = self._again.redact(str(failed))
            return Change(settle=[Settlement(task=task.id, state=TaskState.FAILED, reason=reason)])


class Again:
    """Takes a document through the incoming connection's chain once more.

    Args:
        runtime: the configuration at work.
        route: the route's name.
        keeping: the storages of chains on routes.
    """

    def __init__(self, runtime: Runtime, route: str, keeping: Keeping) -> None:
        name = runtime.configuration.routes[route].incoming
        incoming: Any = runtime.configuration.find("incoming", name)
        self._runtime = runtime
        self._chain = runtime.chain(incoming.chain, f"incoming.{name}.chain")
        self._intake = declared(runtime, route + INCOMING) if self._chain.calls else None
        self._identity = Identity(runtime, route)
        self._keeping = keeping
        self._locks = Locks()
        self.redact = runtime.redact

    async def change(self, task: Task) -> Change:
        """What comes of it, and the end of the task that kept it; ConnectorError when nothing can come of it."""
        document, known = revived(task.document).document, task.key.removeprefix(UNREAD)
        if self._intake is not None:
            new = raw(document, self._intake, known, task.version)
            new = replace(new, unique="no", source=task.id, trace=task.trace)
            return Change(accept=[new], settle=[_finished(task)])
        keeps = self._keeping.opened()
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
        settled = _finished(task) if made else skipped
        return Change(accept=made, settle=[settled], records=keeps.records())


def _finished(task: Task) -> Settlement:
    reason = "read again; what came of it are tasks of their own"
    return Settlement(task=task.id, state=TaskState.FINISHED, reason=reason)
