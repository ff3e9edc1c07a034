"""The tasks of one worker that wait for something, as their last attempts told."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from connector.engine import Settlement, TaskState

__all__ = ["Held"]

REMEMBERED = 1000
"""So many tasks that go on by themselves are remembered; of those that wait for somebody, all are."""


@dataclass(frozen=True, slots=True)
class Wait:
    """What a task waits for.

    Attributes:
        who: who must act before it can go on; empty for a task that is tried again by itself.
    """

    reason: str
    who: str = ""


class Held:
    """What the tasks of a worker wait for; one that was tried again is noted anew."""

    def __init__(self) -> None:
        self._blocked: dict[int, Wait] = {}
        self._later: dict[int, Wait] = {}

    def note(self, settled: Settlement) -> None:
        """Take up where a task stands after an attempt."""
        self.forget((settled.task,))
        if settled.state is not TaskState.WAITING or not settled.reason:
            return
        if settled.who:
            self._blocked[settled.task] = Wait(settled.reason, settled.who)
        elif len(self._later) < REMEMBERED:
            self._later[settled.task] = Wait(settled.reason)

    def forget(self, tasks: Collection[int]) -> None:
        """Leave out tasks that another worker has now."""
        for task in tasks:
            self._blocked.pop(task, None)
            self._later.pop(task, None)

    @property
    def blocked(self) -> int:
        """How many tasks wait for somebody to act."""
        return len(self._blocked)

    @property
    def last(self) -> Wait | None:
        """The last thing that a task waits for; what somebody must do comes first."""
        for waits in (self._blocked, self._later):
            if waits:
                return waits[next(reversed(waits))]
        return None

    @property
    def away(self) -> bool:
        """Whether all that is waited for is the network."""
        return bool(self._blocked) and all(wait.who == "network" for wait in self._blocked.values())
