"""The tasks that documents become when they are read, whatever is wrong with them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from connector.connections import Runtime
from connector.documents import dump
from connector.engine import NewTask
from connector.errors import ConnectorError
from connector.model import JSON
from connector.routes.delivering.intake import raw, tombstone
from connector.routes.reading.identity import Identity, digest, entity_id
from connector.routes.reading.unread import UNREAD, in_doubt, unread

if TYPE_CHECKING:
    from connector.connections.taking import Read, Taken
    from connector.routes.delivering.declared import Declared

__all__ = ["UNREAD", "Making", "untraced"]


def untraced(route: str) -> str:  # noqa: ARG001  whoever traces names the route
    """No trace."""
    return ""


class Making:
    """Makes the tasks of one reading.

    Args:
        runtime: the configuration at work.
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
        trace: Callable[[str], str] = untraced,
        intake: Declared | None = None,
    ) -> None:
        self._intake = intake
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
        if self._intake is not None:
            return [self._raw(read, self._intake) for read in taken.reads], 0
        made: list[NewTask] = []
        try:
            for number, document in enumerate(taken.made):
                made.append(self._task(document, f"{default}/{number}" if number else default))
        except ConnectorError as error:
            reason = self._redact(str(error))
            return [self._kept(unread(read.document, reason), read) for read in taken.reads], len(taken.reads)
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
        """What tells that a document is gone."""
        return tombstone(self.taken_by, key, reading=self.reading)

    def _raw(self, read: Read, intake: Declared) -> NewTask:
        key, trace = self._default(read), self._trace(self._route)
        try:
            dump(read.document)
        except ConnectorError as error:
            return self._kept(unread(read.document, self._redact(str(error))), read)
        version = f"{self._again}{digest(read.document)}"
        return replace(raw(read.document, intake, key, version), reading=self.reading, trace=trace)

    @property
    def _again(self) -> str:
        return f"{self.again}:" if self.again else ""

    def _task(self, document: JSON, default: str) -> NewTask:
        trace = self._trace(self._route)
        return self._identity.task(document, default=default, again=self._again, reading=self.reading, trace=trace)

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
