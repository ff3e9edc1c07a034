"""Whether everything has come to its end, as far as it can."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

from connector.engine import LIVE, Store, TaskState
from connector.errors import ConnectorError
from connector.http.rules import Who
from connector.http.tries import Pause
from connector.routes.reading.reading import Tally
from connector.timing import SYSTEM, Timing

__all__ = ["Counts", "Ending", "RunEnd", "ended_since", "live"]

Counts = Mapping[str, Mapping[TaskState, int]]
PATIENCE = 120.0
"""Seconds for which a run that is to end waits for the network; a pause that somebody must end is not waited for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunEnd:
    """What a run came to.

    Attributes:
        seconds: how long it took.
        ended: tasks that came to an end, by route and state.
        left: tasks that have not, by route.
        elsewhere: tasks that wait on routes that the run does not deliver.
        gone: those of these routes that the configuration does not have.
        paused: why routes wait until somebody acts.
        holds: why tasks wait, each in a sentence.
        unwritten: why lines of files are not written yet.
        unread: why readings broke off.
        tallies: what was read.
        stopped: why it ended before everything had come to an end.
    """

    seconds: float
    ended: Mapping[str, Mapping[str, int]] = field(default_factory=dict[str, Mapping[str, int]])
    left: Mapping[str, int] = field(default_factory=dict[str, int])
    elsewhere: Mapping[str, int] = field(default_factory=dict[str, int])
    gone: Collection[str] = ()
    paused: Mapping[str, Pause] = field(default_factory=dict[str, Pause])
    unread: Mapping[str, ConnectorError] = field(default_factory=dict[str, ConnectorError])
    tallies: Mapping[str, Tally] = field(default_factory=dict[str, Tally])
    holds: Sequence[str] = ()
    unwritten: str = ""
    stopped: str = ""

    def count(self, state: str) -> int:
        """How many tasks ended in a state."""
        return sum(states.get(state, 0) for states in self.ended.values())


class Ending:
    """Looks whether a run that is to end has come to its end.

    Args:
        store: where the tasks are.
        routes: those that the run delivers, the implied ones among them.
    """

    def __init__(self, store: Store, routes: Collection[str], timing: Timing = SYSTEM) -> None:
        self._store = store
        self._routes = routes
        self._timing = timing
        self._paused_since: float | None = None

    async def reached(self, waits: Mapping[str, str]) -> bool:
        """Whether nothing is left, or all that is left waits for somebody to act: by route, who."""
        left = [route for route, count in live(await self._store.counts()).items() if count and route in self._routes]
        if not left:
            return True
        if any(route not in waits for route in left):
            self._paused_since = None
            return False
        now = self._timing.clock()
        if self._paused_since is None:
            self._paused_since = now
        away = any(waits[route] == Who.NETWORK for route in left)
        return not away or now - self._paused_since >= PATIENCE


def live(counts: Counts) -> dict[str, int]:
    """How many tasks have not come to an end, by route."""
    return {route: sum(number for state, number in states.items() if state in LIVE) for route, states in counts.items()}


def ended_since(before: Counts, after: Counts) -> dict[str, dict[str, int]]:
    """How many tasks came to an end between two counts; those of implied routes by themselves."""
    found: dict[str, dict[str, int]] = {}
    for route, states in after.items():
        more = {
            state.value: count - before.get(route, {}).get(state, 0)
            for state, count in states.items()
            if state not in LIVE and count > before.get(route, {}).get(state, 0)
        }
        if more:
            found[route] = more
    return found
