"""What one commit does: all of it is on disk when the commit returns, or none of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from connector.engine.tasks import CallRecord, NewTask, TaskState
from connector.model import JSON

__all__ = ["CallEnd", "Carrier", "Change", "CommitResult", "Expense", "Line", "Settlement"]


@dataclass(frozen=True, slots=True, kw_only=True)
class CallEnd:
    """What a call came to."""

    task: int
    attempt: int
    number: int
    ended: float
    state: str
    outcome: JSON = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Settlement:
    """Where a leased task stands now; it is leased no longer.

    A task that goes in a leased carrier can be settled as well; unless it ends it leaves the carrier.

    Attributes:
        due: for one that waits, when it may be leased again.
        uncounted: whether the attempt that ends here does not count, as when nothing could be tried.
        carried: whether all tasks that go in this one come to the same end.
        who: for one that waits, who must act before it can go on; not kept, but told to those who run it.
    """

    task: int
    state: TaskState
    reason: str = ""
    due: float = 0.0
    uncounted: bool = False
    carried: bool = False
    who: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Carrier:
    """Leased tasks that go on together in a new one, and wait for it."""

    carrier: NewTask
    members: Sequence[int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """Bytes that a file is to end with, once."""

    place: str
    data: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Expense:
    """What was used of a budget."""

    name: str
    at: float
    tokens: int = 0
    cost: float = 0.0


@dataclass(slots=True, kw_only=True)
class Change:
    """Everything that happens at once.

    Attributes:
        accept: documents that become tasks.
        carry: leased tasks that go on together.
        intend: calls that are about to be sent.
        end: calls whose end was seen.
        settle: leased tasks that are leased no longer.
        cursors: where readings go on, by name; None forgets one.
        records: small values by space and key; None deletes one.
        lines: what is appended to files.
        written: the last line, by number, that a place has on disk, with the place's length then.
        spent: what was used of budgets.
    """

    accept: Sequence[NewTask] = ()
    carry: Sequence[Carrier] = ()
    intend: Sequence[CallRecord] = ()
    end: Sequence[CallEnd] = ()
    settle: Sequence[Settlement] = ()
    cursors: Mapping[str, JSON] = field(default_factory=dict[str, JSON])
    records: Mapping[tuple[str, str], JSON] = field(default_factory=dict[tuple[str, str], JSON])
    lines: Sequence[Line] = ()
    written: Mapping[str, tuple[int, int]] = field(default_factory=dict[str, tuple[int, int]])
    spent: Sequence[Expense] = ()


@dataclass(frozen=True, slots=True)
class CommitResult:
    """What a commit gave.

    Attributes:
        accepted: the ids of the accepted documents in their order; 0 for a duplicate.
        carriers: the ids of the tasks that carry others.
    """

    accepted: Sequence[int] = ()
    carriers: Sequence[int] = ()
