"""When a run has come to its end, when a single route has, and what the run came to."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from connector.delivery.route_spec import is_intake, parent_of
from connector.engine import LIVE, Store
from connector.errors import ConnectorError
from connector.http.policy import Actor, Pause
from connector.intake.reading import ReadingCounts
from connector.runtime.plan import source_of
from connector.runtime.stalls import Counts, count_live
from connector.runtime.worker_pool import WorkerPool
from connector.timing import SYSTEM, Timing

if TYPE_CHECKING:
    from connector.config import Configuration

__all__ = ["CompletionCheck", "RouteDependencies", "RunResult", "count_ended"]

NETWORK_PATIENCE = 120.0
"""Seconds for which a run that is to end waits for the network; a pause that a person must end is not waited for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunResult:
    """What a run came to.

    Attributes:
        seconds: how long it took.
        ended: tasks that came to an end, by route and state.
        left: tasks that have not, by route.
        elsewhere: tasks that wait on routes that the run does not deliver.
        gone: those of these routes that the configuration does not have.
        paused: why routes wait until somebody acts.
        stalls: why tasks wait, each in a sentence.
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
    tallies: Mapping[str, ReadingCounts] = field(default_factory=dict[str, ReadingCounts])
    stalls: Sequence[str] = ()
    unwritten: str = ""
    stopped: str = ""

    def count(self, state: str) -> int:
        """Return how many tasks ended in a state."""
        return sum(states.get(state, 0) for states in self.ended.values())


class CompletionCheck:
    """Checks whether a run that is to end has nothing left that it could do.

    Args:
        store: where the tasks are.
        routes: those that the run delivers, implied ones included.
    """

    def __init__(self, store: Store, routes: Collection[str], timing: Timing = SYSTEM) -> None:
        self._store = store
        self._routes = routes
        self._timing = timing
        self._paused_since: float | None = None

    async def is_complete(self, waits: Mapping[str, str]) -> bool:
        """Return whether nothing is left, or everything left waits for a person.

        Args:
            waits: who must act, by route.
        """
        counts = count_live(await self._store.counts())
        left = [route for route, count in counts.items() if count and route in self._routes]
        if not left:
            return True
        if any(route not in waits for route in left):
            self._paused_since = None
            return False
        now = self._timing.clock()
        if self._paused_since is None:
            self._paused_since = now
        needs_network = any(waits[route] == Actor.NETWORK for route in left)
        return not needs_network or now - self._paused_since >= NETWORK_PATIENCE


class RouteDependencies:
    """Knows which route reads the answers of which, and so which routes may still get documents.

    Args:
        configuration: what was declared.
        routes: the configured routes that run.
        pool: the workers of their tasks.
        reading: the routes that are being read now.
        store: where their tasks are.
    """

    def __init__(
        self,
        configuration: Configuration,
        routes: Sequence[str],
        pool: WorkerPool,
        reading: Callable[[], Collection[str]],
        store: Store,
    ) -> None:
        self._sources = {route: source_of(configuration, route) for route in routes}
        self._pool = pool
        self._reading = reading
        self._store = store
        self._ending: set[str] = set()

    def has_more(self, name: str) -> bool:
        """Return whether a route, or the one that implies it, may still get documents."""
        route = parent_of(name)[0]
        if not is_intake(name) and self._pool.is_taking_on(route):
            return True
        upstream = self._upstream(route)
        return any(route in self._reading() for route in upstream) or any(map(self._pool.is_busy, upstream[1:]))

    def begin_end(self, read: str) -> None:
        """Note that a reading has ended: so will the run of its route and of those that read its answers."""
        self._ending |= {route for route in self._sources if read in self._upstream(route)}

    async def pop_ended(self) -> Sequence[str]:
        """Return the routes whose run has come to its end since the last call."""
        quiet = [route for route in self._ending if not self.has_more(route) and not self._pool.is_busy(route)]
        if not quiet:
            return ()
        left = count_live(await self._store.counts())
        found = [route for route in quiet if not any(left.get(name) for name in self._pool.names_of(route))]
        self._ending.difference_update(found)
        return found

    def _upstream(self, route: str) -> list[str]:
        """Return a route, the one whose answers it reads, and so on; in a circle, each once."""
        found: list[str] = []
        source: str | None = route
        while source is not None and source not in found and source in self._sources:
            found.append(source)
            source = self._sources[source]
        return found


def count_ended(before: Counts, after: Counts) -> dict[str, dict[str, int]]:
    """Return how many tasks came to an end between two counts; those of implied routes by themselves."""
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
