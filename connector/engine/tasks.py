"""Tasks: documents, their states, and every call that was made for them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Literal

from connector.model import JSON

__all__ = ["DELETED", "ENDS", "LIVE", "CallRecord", "NewTask", "Task", "TaskState"]


class TaskState(StrEnum):
    """The state of a task."""

    NEW = "new"
    PROCESSING = "processing"
    WAITING = "waiting"
    FINISHED = "finished"
    FAILED = "failed"
    SKIPPED = "skipped"
    UNKNOWN = "unknown"


ENDS = frozenset({TaskState.FINISHED, TaskState.FAILED, TaskState.SKIPPED, TaskState.UNKNOWN})
LIVE = frozenset(TaskState) - ENDS
DELETED = "deleted"
"""The version of a deleted document: one that comes back under its key is a new one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NewTask:
    """A document that a route accepts.

    Attributes:
        key: the document's identity in its route; without one it is never a duplicate.
        version: what differs when the document has changed.
        unique: what makes a document a duplicate: the same key and version; the same key, when the version seen before
            begins with this one; or nothing, as the answers of one task never duplicate those of another.
        order: the order key; tasks of one key are delivered one after the other.
        due: when it may be leased at the earliest, in seconds since 1970.
        trace: the traceparent of its origin.
        source: the task whose answer it is.
        reading: the number of the reading that saw it, by which vanished keys are found.
    """

    route: str
    document: JSON
    key: str = ""
    version: str = ""
    unique: Literal["version", "key", "no"] = "version"
    order: str = ""
    due: float = 0.0
    trace: str = ""
    source: int = 0
    reading: int = 0

    @property
    def identity(self) -> str:
        """Return the key by which a duplicate is found; an empty one for a document that never is one."""
        return "" if self.unique == "no" else self.key

    def repeats(self, seen: str | None) -> bool:
        """Return whether a document seen under this key, with the given version, is the same one."""
        if seen is None or self.unique != "key":
            return seen == self.version
        return seen != DELETED and seen.startswith(self.version)


@dataclass(frozen=True, slots=True, kw_only=True)
class CallRecord:
    """One call of an attempt: its intent first, its end later.

    Attributes:
        number: which call of the attempt it is, from 0.
        fingerprint: equal for calls that would send the same request.
        target: the client, or the kind of publisher, that takes it.
        effect: what a repeat would do, as connector.model.Effect.
        lookup: the key of ours by which a reconcilable effect can be found.
        request: what is sent, redacted.
        state: empty while its end is unknown, then as connector.model.State.
        outcome: the envelope {status, headers, body, request_id, …}, once there is one.
        encoded: the request as JSON, where that is known already.
    """

    task: int
    attempt: int
    number: int
    fingerprint: str
    target: str
    operation: str
    effect: str
    lookup: str = ""
    request: JSON = None
    started: float = 0.0
    ended: float = 0.0
    state: str = ""
    outcome: JSON = None
    encoded: bytes | None = field(default=None, repr=False, compare=False)

    @property
    def open(self) -> bool:
        """Return whether it may have been sent and its end is unknown."""
        return not self.state


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """One accepted document of a route.

    Attributes:
        attempts: the number of attempts, the current one of a leased task included; one that was cut off before
            anything was sent does not count.
        cut_off: how often in a row its process ended while it was leased, before anything was sent.
        carrier: the task that carries this one, as a batch carries its lines.
        retried: how many of its oldest calls were made before a person last retried it; that person knows what open and
            unknown ones may have done, so they keep nothing from being sent again.
        calls: the calls of earlier attempts, the oldest first; open ones were cut off.
    """

    id: int
    route: str
    document: JSON
    state: TaskState
    key: str = ""
    version: str = ""
    order: str = ""
    attempts: int = 0
    due: float = 0.0
    created: float = 0.0
    updated: float = 0.0
    reason: str = ""
    trace: str = ""
    source: int = 0
    carrier: int = 0
    retried: int = 0
    cut_off: int = 0
    calls: Sequence[CallRecord] = ()
