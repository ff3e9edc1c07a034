"""How much a token may call: requests and tokens a minute, and a budget for a period."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from connector.gateway.refusals import Refused
from connector.resilience import TokenBucket
from connector.telemetry.costs import find_period

if TYPE_CHECKING:
    from connector.config.models.measures import Budget

__all__ = ["Hold", "Quota", "Spending"]


@dataclass(slots=True)
class Spending:
    """What was used of a budget in the period that began at a time."""

    begun: float = 0.0
    amount: float = 0.0
    tokens: int = 0
    held_amount: float = 0.0
    """What calls under way may cost."""
    held_tokens: int = 0

    def roll(self, begun: float) -> None:
        """Forgets what belongs to a period that is over."""
        if begun > self.begun:
            self.begun, self.amount, self.tokens = begun, 0.0, 0


@dataclass(frozen=True, slots=True)
class Hold:
    """What was taken for a call before it is known what it uses."""

    a_minute: int = 0
    tokens: int = 0
    amount: float = 0.0


class Quota:
    """The limits of one token.

    Args:
        name: whose limits they are.
        requests: requests a minute.
        tokens: tokens a minute; a call's are estimated from its request until its answer tells.
        budget: what may be spent in a period.
        spending: what was spent of it already.
        currency: of an amount of money.
        clock: seconds that only go on.
        now: seconds since 1970.
    """

    def __init__(
        self,
        name: str,
        *,
        requests: int | None = None,
        tokens: int | None = None,
        budget: Budget | None = None,
        spending: Spending | None = None,
        currency: str = "USD",
        clock: Callable[[], float],
        now: Callable[[], float],
    ) -> None:
        self._name = name
        self._requests = TokenBucket(requests, float(requests), clock) if requests else None
        self._tokens = TokenBucket(tokens, float(tokens), clock) if tokens else None
        self._now = now
        self._currency = currency
        self.budget = budget
        self.spending = spending or Spending()
        self.is_strict = budget is not None and not budget.shadow
        """Whether what is not known of a call counts as the most that it may be."""
        self.enforced = self._tokens is not None or self.is_strict
        """Whether a call may be refused for the tokens that it uses."""
        self.prices_needed = budget is not None and budget.amount is not None and not budget.shadow
        """Whether a model without a price would make the budget worthless."""

    def admit(self) -> None:
        """Counts a call that begins; one that is beyond a limit is refused, and told when to come back."""
        if self.budget is not None:
            self._check_budget(self.budget)
        if self._requests is not None:
            self._take("requests", self._requests, 1)

    def hold(self, a_minute: int, tokens: int = 0, amount: float = 0.0) -> Hold:
        """Takes what a call may use, until it is settled; refuses one that finds nothing left.

        Args:
            a_minute: tokens that are counted against the minute.
            tokens: the most that count against the budget.
            amount: the most that it may cost.
        """
        if self.budget is not None and not self.budget.shadow:
            self._check_held(self.budget)
        if self._tokens is not None and a_minute:
            self._take("tokens", self._tokens, a_minute)
        self.spending.held_tokens += tokens
        self.spending.held_amount += amount
        return Hold(a_minute, tokens, amount)

    def settle(self, hold: Hold, tokens: int, cost: float) -> None:
        """Puts what a call used in the place of what it was thought to use."""
        if not self.enforced and self.budget is None:
            return
        if self._tokens is not None:
            self._tokens.take(tokens - hold.a_minute)
        self.spending.held_tokens -= hold.tokens
        # Of sums of small amounts some dust may stay.
        self.spending.held_amount = self.spending.held_amount - hold.amount if self.spending.held_tokens else 0.0
        self.charge(tokens, cost)

    def charge(self, tokens: int, cost: float) -> None:
        """Counts against the budget alone; what turned out to be less gives back no more than the period has spent."""
        if self.budget is not None:
            self._rolled(self.budget)
            self.spending.tokens = max(0, self.spending.tokens + tokens)
            self.spending.amount = max(0.0, self.spending.amount + cost)

    @property
    def begun(self) -> float:
        """When the period of the budget began."""
        return find_period(self.budget.every, self._now())[0] if self.budget is not None else 0.0

    @property
    def used_up(self) -> bool:
        """Whether nothing is left of the budget in this period."""
        budget = self.budget
        if budget is None:
            return False
        self._rolled(budget)
        spent = budget.amount is not None and self.spending.amount >= budget.amount
        return spent or (budget.tokens is not None and self.spending.tokens >= budget.tokens)

    def _check_budget(self, budget: Budget) -> None:
        if budget.shadow or not self.used_up:
            return
        limits = [f"{budget.amount:g} {self._currency}"] if budget.amount is not None else []
        limit = " or ".join([*limits, f"{budget.tokens} tokens"] if budget.tokens is not None else limits)
        wait = math.ceil(find_period(budget.every, self._now())[1] - self._now())
        raise Refused(
            429,
            "insufficient_quota",
            f"budget: {self._name} has used up its {limit} for this {budget.every}; the next one begins in {wait} s",
            headers={"Retry-After": str(wait), "x-should-retry": "false"},
        )

    def _check_held(self, budget: Budget) -> None:
        """Refuses a call while those under way may use up what is left."""
        self._rolled(budget)
        spending = self.spending
        money = budget.amount is not None and spending.amount + spending.held_amount >= budget.amount
        if money or (budget.tokens is not None and spending.tokens + spending.held_tokens >= budget.tokens):
            raise Refused(
                429,
                "rate_limit_exceeded",
                f"budget: the calls of {self._name} that are under way may use up what is left of it; wait for them",
                headers={"Retry-After": "1", "x-should-retry": "true"},
            )

    def _take(self, kind: str, bucket: TokenBucket, amount: float) -> None:
        if (wait := bucket.wait_for(amount)) > 0:
            raise self._limited(kind, bucket, wait)
        bucket.take(amount)

    def _rolled(self, budget: Budget) -> None:
        self.spending.roll(find_period(budget.every, self._now())[0])

    def _limited(self, kind: str, bucket: TokenBucket, wait: float) -> Refused:
        return Refused(
            429,
            "rate_limit_exceeded",
            f"{kind}_per_minute: {self._name} may have {bucket.per_minute} {kind} a minute; wait {wait:.1f} s",
            headers={
                "Retry-After": str(math.ceil(wait)),
                f"x-ratelimit-limit-{kind}": str(bucket.per_minute),
                f"x-ratelimit-remaining-{kind}": str(max(0, math.floor(bucket.left))),
                f"x-ratelimit-reset-{kind}": f"{wait:.3f}s",
            },
        )
