"""The limits of one token: requests and tokens a minute, and a budget for a period."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from operator import add, sub
from typing import Protocol

from connector.config.models.measures import Budget
from connector.gateway.refusals import Refusal
from connector.resilience import TokenBucket
from connector.telemetry.costs import find_period

__all__ = ["Quota", "Reservation", "Spending", "SpendingLike"]

REMEMBERED = 50
"""Requests of which it is remembered how much they used of what was reserved for them."""


@dataclass(slots=True)
class Spending:
    """What was spent of a budget in the period that began at `begun`."""

    begun: float = 0.0
    amount: float = 0.0
    tokens: int = 0
    held_amount: float = 0.0
    """What requests under way may cost."""
    held_tokens: int = 0
    warned: float = 0.0
    """The highest share that was told of in this period."""
    is_dirty: bool = field(default=False, compare=False)
    """Whether it changed since it was last saved."""

    def roll(self, begun: float) -> None:
        """Reset the sums when a new period has begun."""
        if begun > self.begun:
            self.begun, self.amount, self.tokens, self.warned = begun, 0.0, 0, 0.0


@dataclass(frozen=True, slots=True)
class Reservation:
    """What was taken for a request before its usage is known."""

    tokens_per_minute: int = 0
    tokens: int = 0
    amount: float = 0.0


class _Past:
    """How much the last requests used of what was reserved for them."""

    def __init__(self) -> None:
        self._known: deque[tuple[float, ...]] = deque(maxlen=REMEMBERED)
        self._sums: tuple[float, ...] = (0.0, 0.0, 0.0, 0.0)
        self._added = 0

    def add(self, reservation: Reservation, tokens: int, cost: float) -> None:
        """Remember a request."""
        found = (reservation.tokens, reservation.amount, float(tokens), cost)
        oldest = self._known[0] if len(self._known) == REMEMBERED else (0.0, 0.0, 0.0, 0.0)
        self._known.append(found)
        self._added += 1
        if self._added % REMEMBERED:
            self._sums = tuple(map(sub, map(add, self._sums, found), oldest))
        else:  # sums of small amounts leave rounding errors
            self._sums = tuple(map(sum, zip(*self._known, strict=True)))

    def foretell(self, tokens: int, amount: float) -> tuple[float, float]:
        """Return the tokens and the money that a request is likely to use: as much of its most as earlier ones did."""
        most_tokens, most_amount, used_tokens, used_amount = self._sums
        return (
            tokens * used_tokens / most_tokens if most_tokens else 0.0,
            amount * used_amount / most_amount if most_amount else 0.0,
        )


class SpendingLike(Protocol):
    """A `Spending`, wherever it is kept."""

    @property
    def begun(self) -> float: ...
    @begun.setter
    def begun(self, value: float) -> None: ...
    @property
    def amount(self) -> float: ...
    @amount.setter
    def amount(self, value: float) -> None: ...
    @property
    def tokens(self) -> int: ...
    @tokens.setter
    def tokens(self, value: int) -> None: ...
    @property
    def held_amount(self) -> float: ...
    @held_amount.setter
    def held_amount(self, value: float) -> None: ...
    @property
    def held_tokens(self) -> int: ...
    @held_tokens.setter
    def held_tokens(self, value: int) -> None: ...
    @property
    def warned(self) -> float: ...
    @warned.setter
    def warned(self, value: float) -> None: ...
    @property
    def is_dirty(self) -> bool: ...
    @is_dirty.setter
    def is_dirty(self, value: bool) -> None: ...

    def roll(self, begun: float) -> None:
        """Reset the sums when a new period has begun."""
        ...


class Quota:
    """The limits of one token.

    Args:
        name: whose limits they are, for messages.
        requests: requests a minute.
        tokens: tokens a minute; a request's are estimated until its answer reports them.
        budget: what may be spent in a period.
        spending: what was spent of it already.
        currency: of an amount of money.
        clock: monotonic seconds.
        now: seconds since 1970.
    """

    def __init__(
        self,
        name: str,
        *,
        requests: int | None = None,
        tokens: int | None = None,
        budget: Budget | None = None,
        spending: SpendingLike | None = None,
        currency: str = "USD",
        clock: Callable[[], float],
        now: Callable[[], float],
    ) -> None:
        self._name = name
        self._requests: TokenBucket | None = TokenBucket(requests, float(requests), clock) if requests else None
        self._tokens: TokenBucket | None = TokenBucket(tokens, float(tokens), clock) if tokens else None
        self._now = now
        self._currency = currency
        self.budget = budget
        self.spending: SpendingLike = spending or Spending()
        self.warn: Callable[[float, SpendingLike], None] | None = None
        """Takes each share of the budget to be told of when it is reached."""
        self._past = _Past()
        self._period = (0.0, 0.0)
        self.is_strict = budget is not None and not budget.shadow
        """Whether what is not known of a request counts as the most that it may be."""
        self.is_enforced = self._tokens is not None or self.is_strict
        """Whether a request may be refused for the tokens that it uses."""
        self.needs_prices = budget is not None and budget.amount is not None and not budget.shadow
        """Whether a model without a price would make the budget worthless."""

    def admit(self) -> None:
        """Count a request; refuse one beyond a limit, and say when to come back."""
        if self.budget is not None:
            self._check_budget(self.budget)
        if self._requests is not None:
            self._take("requests", self._requests, 1)

    def take_back(self) -> None:
        """Count the last request no longer: it was not made."""
        if self._requests is not None:
            self._requests.take(-1)

    def reserve(self, tokens_per_minute: int, tokens: int = 0, amount: float = 0.0) -> Reservation:
        """Take what a request may use until it is settled; refuse it when nothing is left.

        Args:
            tokens_per_minute: tokens that count against the minute.
            tokens: the most that count against the budget.
            amount: the most that it may cost.
        """
        if self.budget is not None and not self.budget.shadow:
            self._check_reserved(self.budget, tokens, amount)
        if self._tokens is not None and tokens_per_minute:
            self._take("tokens", self._tokens, tokens_per_minute)
        self.spending.held_tokens += tokens
        self.spending.held_amount += amount
        self.spending.is_dirty |= tokens > 0
        return Reservation(tokens_per_minute, tokens, amount)

    def settle(self, reservation: Reservation, tokens: int, cost: float) -> None:
        """Replace what was reserved for a request by what it used."""
        if not self.is_enforced and self.budget is None:
            return
        if self._tokens is not None:
            self._tokens.take(tokens - reservation.tokens_per_minute)
        if reservation.tokens and tokens > 0:
            self._past.add(reservation, tokens, cost)
        spending = self.spending
        spending.held_tokens -= reservation.tokens
        # Sums of small amounts leave rounding errors.
        spending.held_amount = spending.held_amount - reservation.amount if spending.held_tokens else 0.0
        spending.is_dirty |= reservation.tokens > 0
        self.charge(tokens, cost)

    def charge(self, tokens: int, cost: float) -> None:
        """Count against the budget alone; a negative charge gives back no more than the period has spent."""
        if self.budget is not None:
            self._roll(self.budget)
            self.spending.tokens = max(0, self.spending.tokens + tokens)
            self.spending.amount = max(0.0, self.spending.amount + cost)
            self.spending.is_dirty = True
            if self.warn is not None:
                self._warn_of(self.budget, self.warn)

    def _warn_of(self, budget: Budget, warn: Callable[[float, SpendingLike], None]) -> None:
        """Tell of each share that is reached, once in its period."""
        spending = self.spending
        used = max(
            spending.tokens / budget.tokens if budget.tokens else 0.0,
            spending.amount / budget.amount if budget.amount else 0.0,
        )
        for share in sorted(budget.warn_at):
            if spending.warned < share <= used:
                spending.warned = share
                warn(share, spending)

    @property
    def begun(self) -> float:
        """When the budget's period began; 0 without a budget."""
        return self._find_period(self.budget)[0] if self.budget is not None else 0.0

    @property
    def is_used_up(self) -> bool:
        """Whether nothing is left of the budget in this period."""
        budget = self.budget
        if budget is None:
            return False
        self._roll(budget)
        spent = budget.amount is not None and self.spending.amount >= budget.amount
        return spent or (budget.tokens is not None and self.spending.tokens >= budget.tokens)

    def _check_budget(self, budget: Budget) -> None:
        if budget.shadow or not self.is_used_up:
            return
        limits = [f"{budget.amount:g} {self._currency}"] if budget.amount is not None else []
        limit = " or ".join([*limits, f"{budget.tokens} tokens"] if budget.tokens is not None else limits)
        wait = math.ceil(self._find_period(budget)[1] - self._now())
        raise Refusal(
            429,
            "insufficient_quota",
            f"budget: {self._name} has used up its {limit} for this {budget.every}; the next one begins in {wait} s",
            headers={"Retry-After": str(wait), "x-should-retry": "false"},
        )

    def _check_left(self, budget: Budget, tokens: int, amount: float) -> None:
        """Refuse a request that is likely to use more than what is left; nothing is known of the first one."""
        likely_tokens, likely_amount = self._past.foretell(tokens, amount)
        spending = self.spending
        money = budget.amount is not None and spending.amount + likely_amount > budget.amount * (1 + 1e-12)
        if not money and (budget.tokens is None or spending.tokens + likely_tokens <= budget.tokens):
            return
        likely = f"{likely_amount:.4g} {self._currency}" if money else f"{likely_tokens:.0f} tokens"
        wait = math.ceil(self._find_period(budget)[1] - self._now())
        raise Refusal(
            429,
            "insufficient_quota",
            f"budget: what is left of that of {self._name} for this {budget.every} is less than this call is likely to"
            f" use ({likely}); a smaller one may fit, and the next {budget.every} begins in {wait} s",
            headers={"Retry-After": str(wait), "x-should-retry": "false"},
        )

    def _check_reserved(self, budget: Budget, tokens: int, amount: float) -> None:
        """Refuse a request while those under way may use up what is left, or when it is likely to do so itself."""
        self._roll(budget)
        spending = self.spending
        self._check_left(budget, tokens, amount)
        money = budget.amount is not None and spending.amount + spending.held_amount >= budget.amount
        if money or (budget.tokens is not None and spending.tokens + spending.held_tokens >= budget.tokens):
            raise Refusal(
                429,
                "rate_limit_exceeded",
                f"budget: the calls of {self._name} that are under way may use up what is left of it; wait for them",
                headers={"Retry-After": "1", "x-should-retry": "true"},
            )

    def _take(self, kind: str, bucket: TokenBucket, amount: float) -> None:
        if (wait := bucket.wait_for(amount)) > 0:
            raise self._limited(kind, bucket, wait)
        bucket.take(amount)

    def _roll(self, budget: Budget) -> None:
        self.spending.roll(self._find_period(budget)[0])

    def _find_period(self, budget: Budget) -> tuple[float, float]:
        """Return when the period around now begins and ends."""
        begun, end = self._period
        if not begun <= (now := self._now()) < end:
            self._period = find_period(budget.every, now)
        return self._period

    def _limited(self, kind: str, bucket: TokenBucket, wait: float) -> Refusal:
        return Refusal(
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
