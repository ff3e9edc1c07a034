"""What is known of a task's calls: those of earlier attempts, those of this one, and what is to be written down."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from connector.delivery.call_records import (
    bound_body,
    decode_outcome,
    describe_repeats,
    find_doubtful,
    fingerprint,
    is_large,
    list_calls,
)
from connector.engine import CallEnd, CallRecord, Change, Expense, Reservation, Task
from connector.model import JSON, Effect, Outcome, State, members
from connector.pipeline.decisions import may_have_acted
from connector.publishers import CallIntent

__all__ = ["TaskCalls"]


FOUND = "found"
"""The member of an outcome that says that a list showed it."""


class TaskCalls:
    """The calls of a task, as an attempt sees them.

    Args:
        task: with the calls of its earlier attempts.
    """

    def __init__(self, task: Task) -> None:
        self._task = task
        self._calls: list[CallRecord] = list(task.calls)
        self._equal: dict[str, int] = {}
        self._asked: set[str] = set()
        self._unwritten: list[CallRecord] = []
        self._seen: list[CallEnd] = []
        self._spent: list[Expense] = []
        self._reserved: list[Reservation] = []
        self._last: list[CallEnd] = []
        self._large = [_make_end(call) for call in task.calls if call.state == State.DONE and is_large(call.outcome)]
        self._sent: list[CallRecord] = []

    @property
    def unused(self) -> Sequence[CallRecord]:
        """Costly calls of earlier attempts that are done and that this attempt did not ask for."""
        return [call for call in self._find_paid() if call.fingerprint not in self._asked]

    @property
    def doubts(self) -> Sequence[CallRecord]:
        """The calls that may have taken effect although none like them is done."""
        return find_doubtful([*self._calls, *self._sent], self._task.retried)

    @property
    def doubtful(self) -> str:
        """The same in words."""
        return list_calls(self.doubts)

    @property
    def repeats_note(self) -> str:
        """The notes on the task's calls that every end of it must show."""
        calls = [*self._calls, *self._sent]
        return describe_repeats(calls, self._task.retried) if len(calls) > 1 else ""

    def apply_ends(self, ends: Sequence[CallEnd]) -> None:
        """Take over what was found out about calls of earlier attempts."""
        found = {(end.attempt, end.number): end for end in ends}
        for place, call in enumerate(self._calls):
            end = found.get((call.attempt, call.number))
            if end is not None:
                self._calls[place] = replace(call, state=end.state, outcome=end.outcome, ended=end.ended)
        self._seen += ends

    def close(self, *, finished: bool) -> Change:
        """Return what has not been written down yet; large answers are cut once the task is finished."""
        change = self._drain(*self._last)
        if finished and self._large:
            others = [end for end in change.end if end not in self._large]
            change.end = [
                *others,
                *(replace(end, outcome=bound_body(end.outcome), encoded=None) for end in self._large),
            ]
        return change

    def recall(self, intent: CallIntent) -> tuple[str, Outcome | None]:
        """Return a call's fingerprint, and what it came to in an earlier attempt that need not be made again."""
        known = fingerprint(intent)
        occurrence = self._equal.get(known, 0)
        self._equal[known] = occurrence + 1
        known = f"{known}.{occurrence}" if occurrence else known
        self._asked.add(known)
        done = self._find_done(known)
        return known, None if done is None else _decode(intent, done.outcome)

    def add(self, calls: Sequence[CallRecord]) -> None:
        """Write down calls with the next change."""
        self._unwritten += calls

    def _find_done(self, known: str) -> CallRecord | None:
        """Return the earlier call that need not be repeated; a read is repeated unless a paid call follows from it."""
        same = [call for call in self._calls if call.fingerprint == known and call.state == State.DONE]
        call = same[-1] if same else None
        return None if call is None or (call.effect == Effect.NONE and not self._find_paid()) else call

    def _find_paid(self) -> list[CallRecord]:
        return [call for call in self._calls if call.state == State.DONE and not Effect(call.effect).repeatable]

    def _find_doubtful_before(self, intent: CallIntent, known: str) -> list[CallRecord]:
        """Return the calls of earlier attempts that may have done what this one asks for, through whichever client."""
        return [
            call
            for call in self._calls
            if may_have_acted(call.state, call.outcome) and (call.fingerprint == known or _is_the_same(call, intent))
        ]

    def _put_back(self, change: Change, refused: CallRecord) -> None:
        """Keep what a commit has not done for the next one, without the call that it refused."""
        self._unwritten = [call for call in change.intend if call is not refused]
        self._seen, self._spent = list(change.end), list(change.spent)
        key = refused.attempt, refused.number
        self._reserved = [one for one in change.reserve if (one.attempt, one.number) != key]

    def _drain(self, *last: CallEnd) -> Change:
        change = Change(intend=self._unwritten, end=[*self._seen, *last], spent=self._spent, reserve=self._reserved)
        self._unwritten, self._seen, self._spent, self._reserved = [], [], [], []
        return change


def _decode(intent: CallIntent, kept: JSON) -> Outcome:
    """Return what a call came to; what was found in a list has the shape of the list's operation."""
    outcome = decode_outcome(kept)
    replaced = intent.call.wire.replaced if intent.call is not None else None
    if replaced is None or FOUND not in members(kept):
        return outcome
    return replace(outcome, body=replaced.answer(outcome.body))


def _make_end(call: CallRecord) -> CallEnd:
    return CallEnd(
        task=call.task,
        attempt=call.attempt,
        number=call.number,
        ended=call.ended,
        state=call.state,
        outcome=call.outcome,
    )


def _is_the_same(call: CallRecord, intent: CallIntent) -> bool:
    """Return whether a call made the same repeatable request, perhaps through a client of another name."""
    if intent.call is None or intent.effect is not Effect.IDEMPOTENT or call.operation != intent.operation:
        return False
    wire, kept = intent.call.wire, members(call.request)
    return kept.get("method") == wire.method and str(kept.get("url")).endswith(wire.target)
