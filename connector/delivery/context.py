"""What all attempts of a process share: the store, circuit breakers, budgets, and the known secrets."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from connector.delivery.budget import RouteBudget
from connector.delivery.budget_alarm import BudgetAlarm
from connector.delivery.call_forecast import CallForecast
from connector.delivery.call_records import Redaction
from connector.delivery.idempotency_keys import IdempotencyKeys
from connector.delivery.lookup import SettlingWindows, Snapshots
from connector.delivery.storages import DurableStorages
from connector.engine import Change, CommitResult, Store, StoreFull
from connector.engine.commits import SpaceRetry
from connector.http.policy import Actor, Pause
from connector.model import Outcome, State
from connector.pipeline import Runtime
from connector.publishers.intent import BLOCKED
from connector.resilience import Backoff, CircuitBreaker
from connector.telemetry.costs import Prices
from connector.telemetry.observer import Observer
from connector.timing import SYSTEM, Timing

__all__ = ["RESTING", "DeliveryContext", "TargetBreaker", "TargetBreakers"]

BACKOFF = Backoff(1.0, 60.0)
"""The delays between two probes."""
PATIENCE = 3
"""After this many calls in a row that could not be sent, the target counts as unreachable."""
PROBING = 600.0
"""After this many seconds without an answer, a probe no longer blocks other calls."""
RESTING = "rest"
"""The action of an outcome that says: not tried, since the target rests."""


class TargetBreaker:
    """The circuit breaker before one target; every route of a process goes through the same one."""

    def __init__(self, timing: Timing = SYSTEM) -> None:
        self._breaker = CircuitBreaker[Pause](timing, BACKOFF, probe_timeout=PROBING, threshold=PATIENCE)

    @property
    def pause(self) -> Pause | None:
        """Why the target rests; None while it does not."""
        return self._breaker.reason

    @property
    def rests(self) -> float:
        """The seconds until a call may be tried."""
        return self._breaker.remaining

    def enter(self) -> int | Outcome:
        """Return a ticket for a call, or why it must not be made; a probe keeps the others waiting."""
        ticket = self._breaker.enter()
        if ticket is None:
            reason = self.pause.reason if self.pause is not None else ""
            return Outcome(State.NOT_SENT, reason=f"not tried: {reason}", action=RESTING)
        return ticket

    def record(self, ticket: int, outcome: Outcome) -> None:
        """Record what a call came to."""
        if outcome.state in (State.REFUSED, State.UNKNOWN) and outcome.action == "pause":
            self._breaker.trip(_pause(outcome, Actor.USER), ticket)
        elif outcome.state is not State.NOT_SENT or outcome.faults:
            self._breaker.record_success(ticket)
        elif outcome.action in ("pause", BLOCKED):
            self._breaker.trip(_pause(outcome, Actor.HERE if outcome.action == BLOCKED else Actor.USER), ticket)
        else:
            self._breaker.record_failure(_pause(outcome, Actor.NETWORK), ticket)

    def cancel(self, ticket: int) -> None:
        """Take back a call that was not made after all."""
        self._breaker.cancel(ticket)


def _pause(outcome: Outcome, who: Actor) -> Pause:
    return Pause(outcome.reason, who, outcome.status)


@dataclass(slots=True)
class TargetBreakers:
    """The breakers by the name of what is behind them."""

    timing: Timing = SYSTEM
    _breakers: dict[str, TargetBreaker] = field(default_factory=dict[str, TargetBreaker])

    def of(self, target: str) -> TargetBreaker:
        """Return the breaker before a target."""
        if target not in self._breakers:
            self._breakers[target] = TargetBreaker(self.timing)
        return self._breakers[target]


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
        own = self.runtime.configuration
        self.prices = Prices.over_registry(own.prices, own.currency, self.runtime.catalogue_folder)
        self._space = SpaceRetry(self.timing)

    async def commit(self, change: Change) -> CommitResult:
        """Do all of a change; waits while there is no space."""
        try:
            committed = await self.store.commit(change)
        except StoreFull:
            committed = await self._space.run(lambda: self.store.commit(change))
        self.on_commit(change)
        return committed

    def budget(self, route: str) -> RouteBudget | None:
        """Return what a route may use, if there is a limit; those that it implies use of the same."""
        budget = self.runtime.configuration.routes[route].budget
        if budget is None:
            return None
        if route not in self._budgets:
            tell = BudgetAlarm(self.runtime, budget.warn).tell
            forecast = CallForecast(route, self.prices, self.store, self._reasons)
            self._budgets[route] = RouteBudget(
                route, budget, self.prices.currency, self.store, self.wall, forecast, tell
            )
        return self._budgets[route]

    def _reasons(self, model: str) -> bool:
        """Return whether a model is known to reason before it answers."""
        known = self.runtime.models.find(model)
        return known is not None and known.reasoning
