"""What all attempts of a process share: the store, circuit breakers, budgets, and the known secrets."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from connector.delivery.budget import RouteBudget
from connector.delivery.call_records import Redaction
from connector.delivery.idempotency_keys import IdempotencyKeys
from connector.delivery.lookup import SettlingWindows, Snapshots
from connector.delivery.storages import DurableStorages
from connector.delivery.target_breakers import TargetBreakers
from connector.engine import Change, CommitResult, Store
from connector.engine.commits import SpaceRetry
from connector.pipeline import Runtime
from connector.telemetry.costs import Prices
from connector.telemetry.observer import Observer
from connector.timing import SYSTEM, Timing

__all__ = ["DeliveryContext"]


def _ignore_commit(change: Change) -> None:
    """Do nothing."""


@dataclass(slots=True)
class DeliveryContext:
    """One for all routes of a process.

    Attributes:
        wall: seconds since 1970.
        settling: seconds after a call's end in which a list comes to show what it made; each client's unless given.
        observer: counts and traces every call that was made.
        on_commit: called with each change that an attempt has committed by itself.
        lists_in_vain: how often in a row the list of a call came, and was none.
        running: the configured routes of the run; none for all that are not disabled.
        taken: the entities that were found to be of calls, so that no other call is taken for theirs.
    """

    runtime: Runtime
    store: Store
    timing: Timing = SYSTEM
    wall: Callable[[], float] = time.time
    settling: float | None = None
    observer: Observer = field(default_factory=Observer)
    keys: IdempotencyKeys = field(default_factory=IdempotencyKeys)
    on_commit: Callable[[Change], None] = _ignore_commit
    running: Sequence[str] = ()
    taken: set[str] = field(default_factory=set[str])
    lists_in_vain: dict[tuple[int, int, int], int] = field(default_factory=dict[tuple[int, int, int], int])
    snapshots: Snapshots = field(init=False)
    windows: SettlingWindows = field(init=False)
    breakers: TargetBreakers = field(init=False)
    redact: Redaction = field(init=False)
    storages: DurableStorages = field(init=False)
    prices: Prices = field(init=False)
    _space: SpaceRetry = field(init=False)
    _budgets: dict[str, RouteBudget] = field(default_factory=dict[str, RouteBudget])

    def __post_init__(self) -> None:
        self.breakers = TargetBreakers(self.timing)
        self.snapshots = Snapshots(self.timing)
        self.windows = SettlingWindows(self.timing, self.settling)
        self.redact = Redaction(self.runtime)
        self.storages = DurableStorages(self.store, self.runtime.chained.storages, self.timing.clock)
        self.prices = Prices.over_registry(self.runtime.configuration.prices, self.runtime.configuration.currency)
        self._space = SpaceRetry(self.timing)

    async def commit(self, change: Change) -> CommitResult:
        """Do all of a change; waits while there is no space."""
        committed = await self._space.run(lambda: self.store.commit(change))
        self.on_commit(change)
        return committed

    def budget(self, route: str) -> RouteBudget:
        """Return what a route may use; those that it implies use of the same."""
        if route not in self._budgets:
            budget = self.runtime.configuration.routes[route].budget
            self._budgets[route] = RouteBudget(route, budget, self.prices, self.store, self.wall)
        return self._budgets[route]
