"""Documents of which no task could be made: they are kept as tasks all the same, which end at once and say why."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING

from connector.connections import revived
from connector.connections.records import ERROR, kept
from connector.engine import Change, NewTask, Settled, Task, TaskState
from connector.errors import ConnectorError
from connector.model import JSON, is_object

if TYPE_CHECKING:
    from connector.http.tries import Pause
    from connector.routes.working import Delivers

__all__ = ["Unread", "in_doubt", "is_unread", "unread"]

STAGE = "incoming"
"""What the error of such a document says about where it came to be."""

Again = Callable[[JSON], Awaitable[Sequence[NewTask]]]
"""The tasks that a document becomes when it goes through the incoming connection's chain once more."""


def unread(document: JSON, reason: str) -> dict[str, JSON]:
    """What is kept of a document that could not be read, or that the incoming connection's chain failed on."""
    return kept(document, "failed", reason, stage=STAGE)


def in_doubt(document: JSON) -> JSON:
    """What is kept of a line that says that nobody saw the end of an earlier delivery."""
    return {**document, ERROR: {**document[ERROR], "stage": STAGE}}


def is_unread(document: JSON) -> bool:
    """Whether this is what is kept of such a document."""
    error = document.get(ERROR) if is_object(document) else None
    return is_object(error) and error.get("stage") == STAGE


class Unread:
    """A delivery that takes such tasks to their end, and all others to the delivery that it stands before.

    Args:
        delivery: what takes all others.
        again: tries to make tasks of a document once more.
    """

    def __init__(self, delivery: Delivers, again: Again) -> None:
        self._delivery = delivery
        self._again = again

    @property
    def concurrency(self) -> int:
        """How many tasks may be under way."""
        return self._delivery.concurrency

    @property
    def paused(self) -> Pause | None:
        """Why nothing can be delivered until somebody has acted."""
        return self._delivery.paused

    async def attempt(self, task: Task) -> Change:
        """One attempt; what is to be committed of it."""
        if is_unread(task.document):
            return await self._ended(task, task.document[ERROR])
        return await self._delivery.attempt(task)

    async def _ended(self, task: Task, error: JSON) -> Change:
        if error.get("state") == "unknown":
            reason = f"an earlier run may have delivered it: {error.get('reason')}"
            return Change(settle=[Settled(task=task.id, state=TaskState.UNKNOWN, reason=reason)])
        try:
            tasks = await self._again(revived(task.document).document)
        except ConnectorError as failed:
            return Change(settle=[Settled(task=task.id, state=TaskState.FAILED, reason=str(failed))])
        reason = f"read again: {len(tasks)} documents came of it"
        return Change(accept=tasks, settle=[Settled(task=task.id, state=TaskState.FINISHED, reason=reason)])
