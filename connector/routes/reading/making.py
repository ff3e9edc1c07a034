"""The tasks that documents become when they are read, whatever is wrong with them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from connector.connections import Runtime
from connector.engine import DELETED, NewTask
from connector.errors import ConnectorError
from connector.model import JSON
from connector.routes.reading.identity import Identity, digest, entity_id
from connector.routes.reading.unread import in_doubt, unread

if TYPE_CHECKING:
    from connector.connections.taking import Read, Taken

__all__ = ["UNREAD", "Making", "untraced"]

UNREAD = "unread "
"""How the keys of documents begin that could not be read."""


def untraced(route: str) -> str:  # noqa: ARG001  whoever traces names the route
    """No trace."""
    return ""


class Making:
    """Makes the tasks of one reading.

    Args:
        runtime: the configuration at work.
        route: the route's name.
        trace: begins the trace of a document, and gives the traceparent that goes on with it.

    Attributes:
        reading: the reading's number.
        again: how often the route was reset.
    """

    def __init__(self, runtime: Runtime, route: str, trace: Callable[[str], str] = untraced) -> None:
        self._identity = Identity(runtime, route)
        self._redact = runtime.redact
        self._route = route
        self._trace = trace
        self.reading = 0
        self.again = 0

    def tasks(self, taken: Taken) -> tuple[Sequence[NewTask], int]:
        """The tasks, and how many of them say that a document could not be read."""
        first = taken.reads[0]
        if first.in_doubt:
            return [self._kept(in_doubt(first.document), first)], 0
        if taken.failed:
            return [self._kept(unread(read.document, taken.failed), read) for read in taken.reads], len(taken.reads)
        default = self._default(first)
        made: list[NewTask] = []
        try:
            for number, document in enumerate(taken.made):
                made.append(self._task(document, f"{default}/{number}" if number else default))
        except ConnectorError as error:
            reason = self._redact(str(error))
            return [self._kept(unread(read.document, reason), read) for read in taken.reads], len(taken.reads)
        return made, 0

    def tombstone(self, key: str) -> NewTask:
        """What tells that a document is gone."""
        document: JSON = {"key": key, "deleted": True}
        return NewTask(route=self._route, document=document, key=key, version=DELETED, reading=self.reading)

    def _task(self, document: JSON, default: str) -> NewTask:
        again = f"{self.again}:" if self.again else ""
        trace = self._trace(self._route)
        return self._identity.task(document, default=default, again=again, reading=self.reading, trace=trace)

    def _kept(self, document: JSON, read: Read) -> NewTask:
        # Not under the key of the document that it may become, which is not known.
        version = f"{self.again}:{digest(document)}"
        return NewTask(route=self._route, document=document, key=f"{UNREAD}{self._place(read)}", version=version)

    def _default(self, read: Read) -> str:
        """What a document is known by when nobody says: in a file by its place, else by its id."""
        return self._place(read) if read.lasting else entity_id(read.document) or self._place(read)

    def _place(self, read: Read) -> str:
        reading = "" if read.lasting else f"{self.reading}/"
        return f"{reading}{read.part}:{read.position}"
