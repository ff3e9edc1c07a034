"""What a route may use in a period: tokens or money. A call that would exceed it is not sent."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

from connector.delivery.call_forecast import CallForecast, Likely
from connector.delivery.payload_tokens import count_payload
from connector.engine import BudgetExceeded, CallRecord, Expense, Reservation, Store
from connector.model import JSON
from connector.telemetry.costs import Cost, find_period
from connector.telemetry.prometheus import BudgetLevel

if TYPE_CHECKING:
    from connector.config.models import Budget

__all__ = ["OVER_BUDGET", "SHADOW", "BudgetView", "BudgetWarning", "RouteBudget", "read_budget"]

FRESH = 5.0
"""Seconds after which spending is read from the store again, with that of other workers."""
OVER_BUDGET = "budget"
"""The action of an outcome that says: not begun, since the budget has not enough left."""
SHADOW = "shadow:"
"""How the name begins under which is kept what a shadow budget would have stopped."""

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class BudgetView:
    """A budget as it stands.

    Attributes:
        until: when its period ends, in seconds since 1970.
        spent: what the period has used.
        reserved: what calls under way, and calls of the period without a known end, may use.
        stopped: what a shadow budget would have stopped in the period.
    """

    route: str
    budget: Budget
    since: float
    until: float
    spent: Expense
    reserved: Expense
    stopped: Expense

    def levels(self) -> Iterator[BudgetLevel]:
        """Yield how it stands in each unit that is limited."""
        budget, spent, reserved = self.budget, self.spent, self.reserved
        if budget.amount is not None:
            yield BudgetLevel(self.route, "money", budget.amount, spent.cost, reserved.cost)
        if budget.tokens is not None:
            yield BudgetLevel(self.route, "tokens", budget.tokens, spent.tokens, reserved.tokens)

    def as_document(self) -> dict[str, JSON]:
        """Return it as JSON."""
        return {
            "route": self.route,
            "every": self.budget.every,
            "since": self.since,
            "until": self.until,
            "shadow": self.budget.shadow,
            "budget": {"amount": self.budget.amount, "tokens": self.budget.tokens},
            "spent": _show(self.spent),
            "reserved": _show(self.reserved),
            "stopped": _show(self.stopped) if self.budget.shadow else None,
        }


def _show(used: Expense) -> JSON:
    return {"amount": round(used.cost, 9), "tokens": used.tokens}


async def read_budget(store: Store, route: str, budget: Budget, now: float) -> BudgetView:
    """Return how a route's budget stands."""
    since, until = find_period(budget.every, now)
    return BudgetView(
        route, budget, since, until,
        await store.spending(route, since),
        await store.reserved(route, since),
        await store.spending(SHADOW + route, since),
    )  # fmt: skip


class BudgetWarning:
    """A share of a budget that is reached."""

    def __init__(
        self,
        name: str,
        share: float,
        spent: Expense,
        budget: Budget,
        currency: str,
        begun: float,
        *,
        kind: Literal["route", "token"] = "route",
    ) -> None:
        self._whose = f"{kind} {name!r}"
        self.document: dict[str, JSON] = {
            kind: name,
            "share": share,
            "every": budget.every,
            "since": begun,
            "spent": {"amount": round(spent.cost, 9), "tokens": spent.tokens},
            "budget": {"amount": budget.amount, "tokens": budget.tokens},
            "currency": currency,
            "shadow": budget.shadow,
        }

    @property
    def sentence(self) -> str:
        """The same in words."""
        return f"{self._whose} has used {self.document['share']:.0%} of its budget of this {self.document['every']}"


Tell = Callable[[BudgetWarning], Awaitable[None]]


class RouteBudget:
    """The budget of one route.

    Args:
        name: the route's.
        budget: what it may use.
        currency: of all costs.
        store: where it is noted.
        wall: seconds since 1970.
        forecast: foretells its calls.
        tell: takes warnings.
    """

    def __init__(
        self,
        name: str,
        budget: Budget,
        currency: str,
        store: Store,
        wall: Callable[[], float],
        forecast: CallForecast,
        tell: Tell,
    ) -> None:
        self._name = name
        self._budget = budget
        self._currency = currency
        self._store = store
        self._wall = wall
        self._forecast = forecast
        self._tell = tell
        self._since = self._until = self._read = 0.0
        self._tokens = 0
        self._cost = 0.0
        self._stopped = Expense(name=SHADOW + name, at=0.0)
        self._told = False
        self._full_until = 0.0
        self._why = ""
        self._warned: set[float] = set()

    @property
    def is_shadow(self) -> bool:
        """Whether it stops nothing."""
        return self._budget.shadow

    async def foretell(self, operation: str, payload: JSON, tier: str, *, regional: bool) -> Likely:
        """Return what a call of the route is likely to use."""
        return await self._forecast.foretell(operation, payload, tier, regional=regional)

    def reserve(self, record: CallRecord, likely: Likely) -> Reservation:
        """Return what is to be committed with the intent of a call; that commit raises where too little is left."""
        self._roll()
        wanted = Reservation(
            name=self._name,
            task=record.task,
            attempt=record.attempt,
            number=record.number,
            at=self._wall(),
            tokens=likely.tokens,
            cost=likely.cost,
            since=self._since,
            alone=likely.is_guess,
        )
        return wanted if self._budget.shadow else self._limit(wanted)

    async def find_shadow_stop(self, wanted: Reservation) -> Expense | None:
        """Return what a shadow budget would have stopped, if it would have; to be committed with the call's intent."""
        await self.rests()
        spent = Expense(name=self._name, at=0.0, tokens=self._tokens - self._stopped.tokens,
                        cost=self._cost - self._stopped.cost)  # fmt: skip
        if self._limit(wanted).fits(spent, Expense(name=self._name, at=0.0)):
            return None
        stopped = Expense(name=SHADOW + self._name, at=self._wall(), tokens=wanted.tokens, cost=wanted.cost)
        self._stopped = Expense(
            name=stopped.name, at=0.0, tokens=self._stopped.tokens + stopped.tokens,
            cost=self._stopped.cost + stopped.cost,
        )  # fmt: skip
        if not self._told:
            self._told = True
            log.warning(
                "route %r would have stopped by its budget of this %s: %s; it goes on, since the budget is a shadow",
                self._name, self._budget.every, self._spent,
            )  # fmt: skip
        return stopped

    def note_exceeded(self, full: BudgetExceeded) -> str:
        """Pause the route after a call that was not begun; return why in words."""
        wanted, spent, reserved, doubtful = full.wanted, full.spent, full.reserved, full.doubtful
        self._tokens, self._cost = spent.tokens, spent.cost
        # What calls under way do not use comes back by itself; that of calls without a known end does not.
        under_way = replace(wanted, alone=False).fits(spent, doubtful) or (wanted.alone and not doubtful.tokens)
        under_way = under_way and reserved.tokens > doubtful.tokens
        self._full_until = self._wall() + FRESH if under_way else self._until
        what = f"{wanted.tokens:,} tokens, {wanted.cost:.4f} {self._currency}"
        whose = "calls under way" if under_way else "calls without a known end, which a person can settle,"
        more = f", and {whose} may use {reserved.tokens:,} tokens, {reserved.cost:.4f} {self._currency}"
        self._why = (
            f"route {self._name!r} has not enough left of its budget of this {self._budget.every}: "
            f"{self._spent} used{more if reserved.tokens else ''}; the next call is likely to use {what}"
        )
        if not under_way and not self._told:
            self._told = True
            log.warning("%s", self._why)
        return self._why

    def charge(self, cost: Cost) -> Expense | None:
        """Return what a call used, to be committed with its end."""
        if not cost.usage:
            return None
        spent = Expense(name=self._name, at=self._wall(), tokens=cost.usage.total, cost=cost.amount or 0.0)
        self._tokens += spent.tokens
        self._cost += spent.cost
        return spent

    def learn(self, likely: Likely | None, cost: Cost) -> None:
        """Remember what a call used that was foretold."""
        if likely is not None:
            self._forecast.learn(likely.asked, cost)

    def learn_call(self, operation: str, payload: JSON, cost: Cost) -> None:
        """Remember what a call used, as it was asked for."""
        self._forecast.learn(count_payload(operation, payload), cost)

    async def warn(self) -> None:
        """Tell of each share that is reached, once in its period, whichever worker sees it."""
        self._roll()
        for share in sorted(self._budget.warn_at):
            if share in self._warned or not self._has_used(share):
                continue
            self._warned.add(share)
            if await self._store.claim(f"budget:{self._name}", f"{self._budget.every} {self._since:.0f} {share}"):
                spent = Expense(name=self._name, at=self._wall(), tokens=self._tokens, cost=self._cost)
                warning = BudgetWarning(self._name, share, spent, self._budget, self._currency, self._since)
                log.warning("%s: %s", warning.sentence, self._spent)
                await self._tell(warning)

    async def rests(self) -> float:
        """Return the seconds until the next period, when this one's budget is used up; else 0."""
        now = self._wall()
        self._roll()
        if not self._read <= now < self._read + FRESH:
            self._read = now
            spent = await self._store.spending(self._name, self._since)
            self._tokens, self._cost = spent.tokens, spent.cost
            if self._budget.shadow:
                self._stopped = await self._store.spending(SHADOW + self._name, self._since)
            await self.warn()
        return self.known_rest

    @property
    def known_rest(self) -> float:
        """The same, as far as it is known without asking."""
        now = self._wall()
        if self._budget.shadow or not self._since <= now < self._until:
            return 0.0
        if self._has_used(1.0):
            if not self._told:
                self._told = True
                log.warning("%s", self.reason)
            return self._until - now
        return max(0.0, self._full_until - now)

    @property
    def waits_for_calls(self) -> bool:
        """Whether it is calls under way that may use up what is left."""
        return self._wall() < self._full_until < self._until and not self._has_used(1.0)

    @property
    def reason(self) -> str:
        """Why the route pauses."""
        if self._full_until > self._wall() and not self._has_used(1.0):
            return self._why
        return f"route {self._name!r} has used up its budget of this {self._budget.every}: {self._spent}"

    @property
    def _spent(self) -> str:
        return f"{self._tokens:,} tokens, {self._cost:.2f} {self._currency}"

    def _roll(self) -> None:
        """Begin the next period when its time has come."""
        now = self._wall()
        if not self._since <= now < self._until:
            self._since, self._until = find_period(self._budget.every, now)
            self._read = self._full_until = 0.0
            self._told = False
            self._warned.clear()

    def _limit(self, wanted: Reservation) -> Reservation:
        """Return a reservation that is only made when the budget has enough left."""
        return replace(wanted, most_tokens=self._budget.tokens, most_cost=self._budget.amount)

    def _has_used(self, share: float) -> bool:
        budget = self._budget
        tokens = budget.tokens is not None and self._tokens >= share * budget.tokens
        return tokens or (budget.amount is not None and self._cost >= share * budget.amount)
