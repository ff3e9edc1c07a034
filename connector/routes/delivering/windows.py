"""How long a list is given to show what a call made, by clocks that do not jump."""

from __future__ import annotations

from connector.engine import CallRecord
from connector.http import Client
from connector.resilience import Backoff
from connector.routes.delivering.marking import Lookup
from connector.timing import SYSTEM, Timing

__all__ = ["Windows"]

Key = tuple[int, int, int]
LOOKS = Backoff(5.0, 120.0)
"""Seconds until a list is looked at again while it may still come to show something."""


class Windows:
    """The settling windows of calls that are looked for.

    A window counts from the end of its call, as far as that is known: from when this process saw it, else from when the
    call must have ended by its time-out. What time has passed is told by the server's own clock where both ends of the
    time are known by that, else by how long this process has been looking.

    Args:
        seconds: in place of what each client says.
    """

    def __init__(self, timing: Timing = SYSTEM, seconds: float | None = None) -> None:
        self._clock = timing.clock
        self._seconds = seconds
        self._ended: dict[Key, float] = {}
        self._looked: dict[Key, float] = {}
        self._looks: dict[Key, int] = {}

    def saw_end(self, call: CallRecord) -> None:
        """Notes that a call has ended now, for what it did."""
        self._ended[_key(call)] = self._clock()

    def left(self, call: CallRecord, lookup: Lookup, client: Client) -> float:
        """The seconds until a list that does not show what a call made says that it made nothing; 0 when it does."""
        key, now, settling = _key(call), self._clock(), self._settling(client)
        if key in self._ended:
            return max(self._ended[key] + settling - now, 0.0)
        looking = now - self._looked.setdefault(key, now)
        patience = lookup.patience or client.parameters.timeouts.total
        server = client.server_time
        # A `Date` has whole seconds, so one of the two may say a second more than the other.
        passed = server - lookup.began - 1.0 if server is not None and lookup.began is not None else 0.0
        if call.open:
            return max(patience + settling - max(looking, passed), 0.0)
        return max(min(settling - looking, patience + settling - passed), 0.0)

    def until_next_look(self, call: CallRecord, left: float) -> float:
        """Return the seconds until the list is looked at again: what shows early need not wait for the window's end."""
        looks = self._looks[_key(call)] = self._looks.get(_key(call), 0) + 1
        return min(LOOKS.delay(looks - 1), left)

    def forget(self, call: CallRecord) -> None:
        """Forgets a call of which it is known what it came to."""
        for known in (self._ended, self._looked, self._looks):
            known.pop(_key(call), None)

    def _settling(self, client: Client) -> float:
        return client.parameters.timeouts.settling if self._seconds is None else self._seconds


def _key(call: CallRecord) -> Key:
    return call.task, call.attempt, call.number
