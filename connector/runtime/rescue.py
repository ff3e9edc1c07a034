"""What becomes of a task whose attempt broke off with an error that nobody expected, or took too long."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from connector.engine import Change, Settlement, Store, Task, TaskState
from connector.resilience import Backoff
from connector.routes.delivering.duplicates import in_doubt, listed, notes
from connector.timing import SYSTEM, Timing

if TYPE_CHECKING:
    from connector.config.models import Route

__all__ = ["Rescue"]


class Rescue:
    """Lets a poison task fail after its attempts; what it may have paid for is not forgotten.

    Args:
        store: where its calls are.
        settings: the route's.
        redact: hides secrets.
        wall: seconds since 1970.
        timing: chance, for the wait.
    """

    def __init__(
        self,
        store: Store,
        settings: Route,
        redact: Callable[[str], str],
        wall: Callable[[], float],
        timing: Timing = SYSTEM,
    ) -> None:
        self._store = store
        self._settings = settings
        self._redact = redact
        self._wall = wall
        self._timing = timing

    async def __call__(self, task: Task, error: Exception) -> Change:
        """What is to be committed of the task."""
        reason = self._redact(f"the attempt broke off: {error or type(error).__name__}")
        if task.attempts < self._settings.attempts:
            backoff = Backoff(self._settings.retry_delay, self._settings.max_delay)
            wait = backoff.delay(task.attempts - 1, self._timing.chance())
            settled = Settlement(task=task.id, state=TaskState.WAITING, reason=reason, due=self._wall() + wait)
        else:
            known = await self._store.task(task.id) or task
            doubts = in_doubt(known.calls, known.retried)
            parts = [
                reason,
                f"may have taken effect: {listed(doubts)}" if doubts else "",
                notes(known.calls, known.retried),
            ]
            state = TaskState.UNKNOWN if doubts else TaskState.FAILED
            settled = Settlement(task=task.id, state=state, reason="; ".join(part for part in parts if part))
        return Change(settle=[settled])
