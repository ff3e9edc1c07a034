"""The calls of one attempt: what they came to, and which of them may have taken effect without being done."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from connector.engine import TaskState
from connector.model import Effect, Outcome
from connector.pipeline.decisions import AttemptEnded, CallResult, final_state, has_acted, note_doubtful
from connector.publishers import CallIntent, perform_now

__all__ = ["Journal", "MemoryJournal"]


class Journal(Protocol):
    """Makes the calls of an attempt, and knows what its end must say of them."""

    @property
    def failures(self) -> Sequence[CallResult]:
        """The calls that are not done."""
        ...

    @property
    def doubtful(self) -> str:
        """The calls that may have taken effect although none like them is done, in words."""
        ...

    async def perform(self, intent: CallIntent) -> Outcome:
        """Make a call, unless it is known what it came to."""
        ...

    def check(self) -> None:
        """Raise what broke the journal, even if a chain took it for a failure of its own."""
        ...


class MemoryJournal:
    """A journal that ends with the process."""

    def __init__(self) -> None:
        self.failures: list[CallResult] = []
        self._doubtful: list[str] = []

    @property
    def doubtful(self) -> str:
        return ", ".join(self._doubtful)

    async def perform(self, intent: CallIntent) -> Outcome:
        outcome = await perform_now(intent)
        if not outcome.ok:
            failure = CallResult(outcome, intent.effect, intent.on_unknown == "retry", intent.target)
            self.failures.append(failure)
            if intent.effect is not Effect.NONE and has_acted(outcome):
                self._doubtful.append(intent.operation)
        return outcome

    def check(self) -> None:
        """Nothing breaks it."""

    def fail(self, reason: str) -> AttemptEnded:
        """Return the end of an attempt whose chain failed, when there is no other attempt."""
        seen = self.failures[0] if self.failures else None
        state = TaskState.FAILED if seen is None else final_state(seen)
        return note_doubtful(AttemptEnded(state, reason, seen=seen), self.doubtful)
