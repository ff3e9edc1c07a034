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
from connector.engine import CallEnd, CallRecord, Change, Expense, Task
from connector.model import Effect, Outcome, State, members
from connector.pipeline.decisions import may_have_acted
from connector.publishers import CallIntent

__all__ = ["CallLog"]


class CallLog:
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
        self._last: list[CallEnd] = []
        self._large = [_end_of(call) for call in task.calls if call.state == State.DONE and is_large(call.outcome)]
        self._sent: list[CallRecord] = []

    @property
    def unused(self) -> Sequence[CallRecord]:
        """Costly calls of earlier attempts that are done and that this attempt did not ask for."""
        return [call for call in self._paid() if call.fingerprint not in self._asked]

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
        """What must not be silent of the task's calls, whatever it came to."""
        return describe_repeats([*self._calls, *self._sent], self._task.retried)

    def settle(self, ends: Sequence[CallEnd]) -> None:
        """Takes over what was found out about calls of earlier attempts."""
        found = {(end.attempt, end.number): end for end in ends}
        for place, call in enumerate(self._calls):
            end = found.get((call.attempt, call.number))
            if end is not None:
                self._calls[place] = replace(call, state=end.state, outcome=end.outcome, ended=end.ended)
        self._seen += ends

    def closing(self, *, finished: bool) -> Change:
        """Everything that was seen and is not written down yet; answers are cut when nobody will ask for them again."""
        change = self._written(*self._last)
        if finished and self._large:
            others = [end for end in change.end if end not in self._large]
            change.end = [*others, *(replace(end, outcome=bound_body(end.outcome)) for end in self._large)]
        return change

    def recognise(self, intent: CallIntent) -> tuple[str, Outcome | None]:
        """A call's fingerprint, and what it came to in an earlier attempt that need not be made again."""
        known = fingerprint(intent)
        occurrence = self._equal.get(known, 0)
        self._equal[known] = occurrence + 1
        known = f"{known}.{occurrence}" if occurrence else known
        self._asked.add(known)
        done = self._done(known)
        return known, None if done is None else decode_outcome(done.outcome)

    def add(self, calls: Sequence[CallRecord]) -> None:
        """Writes down calls with the next change."""
        self._unwritten += calls

    def _done(self, known: str) -> CallRecord | None:
        """The earlier call that need not be made again; a read is made again unless something paid rests on it."""
        same = [call for call in self._calls if call.fingerprint == known and call.state == State.DONE]
        call = same[-1] if same else None
        return None if call is None or (call.effect == Effect.NONE and not self._paid()) else call

    def _paid(self) -> list[CallRecord]:
        return [call for call in self._calls if call.state == State.DONE and not Effect(call.effect).repeatable]

    def _in_doubt_before(self, intent: CallIntent, known: str) -> list[CallRecord]:
        """The calls of earlier attempts that may have done what this one asks for, through whichever client."""
        return [
            call
            for call in self._calls
            if may_have_acted(call.state, call.outcome) and (call.fingerprint == known or _is_the_same(call, intent))
        ]

    def _written(self, *last: CallEnd) -> Change:
        change = Change(intend=self._unwritten, end=[*self._seen, *last], spent=self._spent)
        self._unwritten, self._seen, self._spent = [], [], []
        return change


def _end_of(call: CallRecord) -> CallEnd:
    return CallEnd(
        task=call.task,
        attempt=call.attempt,
        number=call.number,
        ended=call.ended,
        state=call.state,
        outcome=call.outcome,
    )


def _is_the_same(call: CallRecord, intent: CallIntent) -> bool:
    """Whether a call asked for the same of an operation that may be repeated; its client may have had another name."""
    if intent.call is None or intent.effect is not Effect.IDEMPOTENT or call.operation != intent.operation:
        return False
    wire, kept = intent.call.wire, members(call.request)
    return kept.get("method") == wire.method and str(kept.get("url")).endswith(wire.target)
