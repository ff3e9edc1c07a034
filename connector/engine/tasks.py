"""What is kept of a task: its document, its state, and every call that was made for it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

from connector.model import JSON

__all__ = ["DELETED", "ENDS", "LIVE", "CallRecord", "NewTask", "Task", "TaskState"]


class TaskState(StrEnum):
    """Where a task stands."""

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
"""The version of a document that is gone: one that comes back under its key is a new one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NewTask:
    """A document that a route takes on.

    Attributes:
        key: the document's identity in its route; without one it is never a duplicate.
        version: what differs when the document has changed.
        unique: by what a document that was seen is known again: by key and version; by its key alone, when the version
            that was seen begins with this one; or by nothing, as what comes of one task is never a duplicate of
            another's.
        order: tasks of one order key are delivered one after the other.
        due: not before this time, in seconds since 1970.
        trace: the traceparent of what it came from.
        source: the task whose answer it is.
        reading: the number of the reading that saw it, by which those that have vanished are found.
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
        """The key by which a duplicate is found; empty for a document that never is one."""
        return "" if self.unique == "no" else self.key

    def repeats(self, seen: str | None) -> bool:
        """Whether a document that was seen under its key with this version is the same one."""
        if seen is None or self.unique != "key":
            return seen == self.version
        return seen != DELETED and seen.startswith(self.version)


@dataclass(frozen=True, slots=True, kw_only=True)
class CallRecord:
    """One call of an attempt: first what is about to be sent, later what it came to.

    Attributes:
        number: which call of the attempt it is, from 0.
        fingerprint: equal for calls that would send the same.
        target: the client, or the kind of publisher, that takes it.
        effect: what a repeat would do, as connector.model.Effect.
        lookup: the own key by which a reconcilable effect can be found.
        request: what is sent, redacted.
        state: empty while its end is not known, then as connector.model.State.
        outcome: the envelope {status, headers, body, request_id, …}, once there is one.
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

    @property
    def open(self) -> bool:
        """Whether it may have gone out and nobody has seen what it came to."""
        return not self.state


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """One document on a route.

    Attributes:
        attempts: how often it was tried; a task that is leased is in its attempt of this number. One that was cut off
            before anything was sent does not count.
        cut_off: how often in a row its process ended while it was leased, before anything was sent.
        carrier: the task that this one goes in, as a line of a batch does.
        retried: how many of its calls, the oldest, were made before a person last retried it; what those that are
            open or unknown may have done is known to that person, and keeps nothing from being sent again.
        calls: what earlier attempts sent, the oldest first; open ones were cut off.
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
