"""A change is all that one commit does: all of it is on disk when the commit returns, or none of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from connector.engine.tasks import CallRecord, NewTask, TaskState
from connector.model import JSON

__all__ = ["CallEnd", "Carrier", "Change", "CommitResult", "Expense", "Line", "Reservation", "Settlement"]


@dataclass(frozen=True, slots=True, kw_only=True)
class CallEnd:
    """How a call ended.

    Attributes:
        pending: whether what it has begun goes on elsewhere, so that what was reserved for it stays reserved.
        encoded: the outcome as JSON, where that is known already.
    """

    task: int
    attempt: int
    number: int
    ended: float
    state: str
    outcome: JSON = None
    pending: bool = False
    encoded: bytes | None = field(default=None, repr=False, compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Settlement:
    """The new state of a leased task, which is leased no longer.

    A task in a leased carrier can be settled as well; unless it ends, it leaves the carrier.

    Attributes:
        due: when a waiting task may be leased again.
        uncounted: whether the attempt that ends here does not count, as when nothing was tried.
        carried: whether all tasks in this carrier end the same way.
        who: who must act before a waiting task can continue; not stored, but reported to operators.
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
    """Leased tasks that continue together in a new task, and wait for it."""

    carrier: NewTask
    members: Sequence[int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """Bytes to be appended to a file, exactly once."""

    place: str
    data: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Expense:
    """Tokens and money used of a budget."""

    name: str
    at: float
    tokens: int = 0
    cost: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Reservation:
    """Tokens and money of a budget that a call may use, from its intent until its end.

    The commit does nothing, and raises BudgetExceeded, when this and all that is spent or reserved is more than the
    budget. What is reserved for a call whose end is unknown stays reserved in its period.

    Attributes:
        name: the budget's.
        task: with `attempt` and `number`, the call that it is for.
        at: when it is made, in seconds since 1970.
        since: when the budget's period began.
        most_tokens: how many tokens the budget has; None for any number.
        most_cost: how much money the budget has; None for any amount.
        alone: whether it is only guessed what the call may use: then it is also made when nothing else is under way and
            something is left, so that its like can be foretold.
    """

    name: str
    task: int
    attempt: int
    number: int
    at: float
    tokens: int = 0
    cost: float = 0.0
    since: float = 0.0
    most_tokens: int | None = None
    most_cost: float | None = None
    alone: bool = False

    def fits(self, spent: Expense, reserved: Expense) -> bool:
        """Return whether the budget has enough left for it."""
        if self.alone and not (reserved.tokens or reserved.cost):
            return not (
                (self.most_tokens is not None and spent.tokens >= self.most_tokens)
                or (self.most_cost is not None and spent.cost >= self.most_cost)
            )
        tokens = spent.tokens + reserved.tokens + self.tokens
        # Sums of small amounts leave rounding errors.
        cost = (spent.cost + reserved.cost + self.cost) * (1 - 1e-12)
        return not (
            (self.most_tokens is not None and tokens > self.most_tokens)
            or (self.most_cost is not None and cost > self.most_cost)
        )


@dataclass(slots=True, kw_only=True)
class Change:
    """Everything that one commit does.

    Attributes:
        accept: documents that become tasks.
        carry: leased tasks that continue together.
        intend: calls that are about to be sent.
        end: calls that ended.
        settle: leased tasks that are leased no longer.
        cursors: positions of readings, by name; None deletes one.
        records: small values by space and key; None deletes one.
        lines: lines to append to files.
        written: by file, the number of the last line that is on disk, and the file's length then.
        spent: what was used of budgets.
        reserve: what calls that are about to be sent may use of budgets.
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
    reserve: Sequence[Reservation] = ()


@dataclass(frozen=True, slots=True)
class CommitResult:
    """The result of a commit.

    Attributes:
        accepted: the ids of the accepted documents in their order; 0 for a duplicate.
        carriers: the ids of the tasks that carry others.
    """

    accepted: Sequence[int] = ()
    carriers: Sequence[int] = ()
