"""What all attempts of a process share: the store, the gates before their targets, and what is known of secrets."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from connector.connections import Runtime
from connector.engine import Change, CommitResult, Store
from connector.engine.commits import SpaceRetry
from connector.model import Outcome
from connector.publishers import CallIntent
from connector.routes.delivering.evidence import Hiding
from connector.routes.delivering.gates import Gates
from connector.routes.delivering.keeping import Keeping
from connector.routes.delivering.marking import Marking
from connector.routes.delivering.snapshots import Snapshots
from connector.routes.delivering.spending import Spending
from connector.routes.delivering.windows import Windows
from connector.telemetry.costs import Prices
from connector.timing import SYSTEM, Timing

__all__ = ["Desk", "Watch"]

Watch = Callable[[str, CallIntent, Outcome], None]
"""Told of every call that was made: the route, what was asked, and what it came to."""


def _untold(change: Change) -> None:
    """Nobody is told."""


def _nobody(route: str, intent: CallIntent, outcome: Outcome) -> None:
    """Nobody watches."""


@dataclass(slots=True)
class Desk:
    """One for all routes of a process.

    Attributes:
        wall: seconds since 1970.
        settling: seconds after a call's end in which a list comes to show what it made; each client's unless given.
        told: told of each change that an attempt has committed by itself.
        lists_in_vain: how often in a row the list of a call came, and was none.
        running: the configured routes of the run; none for all that are not disabled.
        taken: the entities that were found to be of calls, so that no other call is taken for theirs.
    """

    runtime: Runtime
    store: Store
    timing: Timing = SYSTEM
    wall: Callable[[], float] = time.time
    settling: float | None = None
    watch: Watch = _nobody
    marking: Marking = field(default_factory=Marking)
    told: Callable[[Change], None] = _untold
    running: Sequence[str] = ()
    taken: set[str] = field(default_factory=set[str])
    lists_in_vain: dict[tuple[int, int, int], int] = field(default_factory=dict[tuple[int, int, int], int])
    snapshots: Snapshots = field(init=False)
    windows: Windows = field(init=False)
    gates: Gates = field(init=False)
    hide: Hiding = field(init=False)
    keeping: Keeping = field(init=False)
    prices: Prices = field(init=False)
    _space: SpaceRetry = field(init=False)
    _budgets: dict[str, Spending] = field(default_factory=dict[str, Spending])

    def __post_init__(self) -> None:
        self.gates = Gates(self.timing)
        self.snapshots = Snapshots(self.timing)
        self.windows = Windows(self.timing, self.settling)
        self.hide = Hiding(self.runtime)
        self.keeping = Keeping(self.store, self.runtime.chained.storages, self.timing.clock)
        self.prices = Prices(self.runtime.configuration.prices, self.runtime.configuration.currency)
        self._space = SpaceRetry(self.timing)

    async def commit(self, change: Change) -> CommitResult:
        """Does all of a change; waits while there is no space."""
        committed = await self._space.run(lambda: self.store.commit(change))
        self.told(change)
        return committed

    def budget(self, route: str) -> Spending:
        """What a route may use; those that it implies use of the same."""
        if route not in self._budgets:
            budget = self.runtime.configuration.routes[route].budget
            self._budgets[route] = Spending(route, budget, self.prices, self.store, self.wall)
        return self._budgets[route]
