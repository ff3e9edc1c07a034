"""What a route may use in a period: tokens or money, added up as the answers tell."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import TYPE_CHECKING

from connector.engine import Expense, Store
from connector.telemetry.costs import Cost, find_period

if TYPE_CHECKING:
    from connector.config.models import Budget

__all__ = ["RouteBudget"]

FRESH = 5.0
"""Seconds after which spending is read from the store again, with that of other workers."""

log = logging.getLogger(__name__)


class RouteBudget:
    """The budget of one route.

    Args:
        name: the route's.
        budget: what it may use.
        currency: of all costs.
        store: where it is noted.
        wall: seconds since 1970.
    """

    def __init__(self, name: str, budget: Budget, currency: str, store: Store, wall: Callable[[], float]) -> None:
        self._name = name
        self._budget = budget
        self._currency = currency
        self._store = store
        self._wall = wall
        self._since = self._until = self._read = 0.0
        self._tokens = 0
        self._cost = 0.0
        self._told = False

    def charge(self, cost: Cost) -> Expense | None:
        """Return what a call used, to be committed with its end."""
        if not cost.usage:
            return None
        spent = Expense(name=self._name, at=self._wall(), tokens=cost.usage.total, cost=cost.amount or 0.0)
        self._tokens += spent.tokens
        self._cost += spent.cost
        return spent

    async def rests(self) -> float:
        """Return the seconds until the next period, when this one's budget is used up; else 0."""
        now = self._wall()
        if not self._since <= now < self._until:
            self._since, self._until = find_period(self._budget.every, now)
            self._read, self._told = 0.0, False
        if not self._read <= now < self._read + FRESH:
            self._read = now
            spent = await self._store.spending(self._name, self._since)
            self._tokens, self._cost = spent.tokens, spent.cost
        return self.known_rest

    @property
    def known_rest(self) -> float:
        """The same, as far as it is known without asking."""
        now, budget = self._wall(), self._budget
        if not self._since <= now < self._until or not self._is_used_up(budget):
            return 0.0
        if not self._told:
            self._told = True
            log.warning("%s%s", self.reason, "; it goes on, since the budget is a shadow" if budget.shadow else "")
        return 0.0 if budget.shadow else self._until - now

    @property
    def reason(self) -> str:
        """Why the route pauses."""
        spent = f"{self._tokens:,} tokens, {self._cost:.2f} {self._currency}"
        return f"route {self._name!r} has used up its budget of this {self._budget.every}: {spent}"

    def _is_used_up(self, budget: Budget) -> bool:
        tokens = budget.tokens is not None and self._tokens >= budget.tokens
        return tokens or (budget.amount is not None and self._cost >= budget.amount)
