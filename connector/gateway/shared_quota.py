"""The limits of one token over all workers of a gateway: what one of them takes, none of the others has."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from connector.gateway.limits import Quota, Reservation, Spending
from connector.gateway.shared_memory import SharedMemory
from connector.resilience import TokenBucket

__all__ = ["SharedQuota", "SharedSpending", "size_of_quota"]

REQUESTS, TOKENS, SPENDING, HELD = 0, 2, 4, 9
"""Where the numbers of a quota begin."""
EACH = 2
"""Numbers that each worker has of its own."""


def size_of_quota(workers: int) -> int:
    """Return how many numbers the quota of one token has."""
    return HELD + EACH * (workers + 1)


class SharedBucket(TokenBucket):
    """A bucket whose level is in shared memory; the caller holds the lock."""

    def __init__(self, per_minute: float, clock: Callable[[], float], numbers: memoryview[float]) -> None:
        self._numbers = numbers
        super().__init__(per_minute, per_minute, clock)

    @property
    def _left(self) -> float:
        return self._numbers[0]

    @_left.setter
    def _left(self, value: float) -> None:
        self._numbers[0] = value

    @property
    def _filled_at(self) -> float:
        return self._numbers[1]

    @_filled_at.setter
    def _filled_at(self, value: float) -> None:
        self._numbers[1] = value


class SharedSpending:
    """A spending in shared memory; what is held is kept by worker, since one may end without giving it back.

    Args:
        memory: says which worker this is.
        numbers: of the quota.
        saved: what was spent before.
    """

    def __init__(self, memory: SharedMemory, numbers: memoryview[float], saved: Spending) -> None:
        self._memory = memory
        self._numbers = numbers
        self.begun, self.amount, self.tokens = saved.begun, saved.amount, saved.tokens
        self.warned = saved.warned

    @property
    def begun(self) -> float:
        return self._numbers[SPENDING]

    @begun.setter
    def begun(self, value: float) -> None:
        self._numbers[SPENDING] = value

    @property
    def amount(self) -> float:
        return self._numbers[SPENDING + 1]

    @amount.setter
    def amount(self, value: float) -> None:
        self._numbers[SPENDING + 1] = value

    @property
    def tokens(self) -> int:
        return int(self._numbers[SPENDING + 2])

    @tokens.setter
    def tokens(self, value: int) -> None:
        self._numbers[SPENDING + 2] = value

    @property
    def is_dirty(self) -> bool:
        return self._numbers[SPENDING + 3] > 0

    @is_dirty.setter
    def is_dirty(self, value: bool) -> None:
        self._numbers[SPENDING + 3] = value

    @property
    def warned(self) -> float:
        return self._numbers[SPENDING + 4]

    @warned.setter
    def warned(self, value: float) -> None:
        self._numbers[SPENDING + 4] = value

    @property
    def held_amount(self) -> float:
        return sum(self._numbers[HELD + 1 :: EACH])

    @held_amount.setter
    def held_amount(self, value: float) -> None:
        self._numbers[self._own + 1] += value - self.held_amount

    @property
    def held_tokens(self) -> int:
        return int(sum(self._numbers[HELD::EACH]))

    @held_tokens.setter
    def held_tokens(self, value: int) -> None:
        self._numbers[self._own] += value - self.held_tokens

    @property
    def _own(self) -> int:
        return HELD + EACH * self._memory.worker

    def roll(self, begun: float) -> None:
        """Reset the sums when a new period has begun."""
        if begun > self.begun:
            self.begun, self.amount, self.tokens, self.warned = begun, 0.0, 0, 0.0

    def give_up(self, worker: int) -> None:
        """Count what a worker held when it died as spent: nobody knows what its calls used."""
        own = HELD + EACH * worker
        self.tokens += int(self._numbers[own])
        self.amount += self._numbers[own + 1]
        self._numbers[own] = self._numbers[own + 1] = 0.0
        self.is_dirty = True


class SharedQuota(Quota):
    """The limits of one token, in shared memory.

    Args:
        memory: where.
        name: whose limits they are, for messages.
        spending: what was spent of the budget already.
        limits: the same as those of `Quota`.
    """

    def __init__(self, memory: SharedMemory, name: str, *, spending: Spending | None = None, **limits: Any) -> None:
        numbers = memory.numbers(size_of_quota(memory.workers))
        shared = SharedSpending(memory, numbers, spending or Spending())
        super().__init__(name, spending=shared, **limits)
        self._lock = memory.lock
        clock = limits["clock"]
        if self._requests is not None:
            self._requests = SharedBucket(self._requests.per_minute, clock, numbers[REQUESTS:TOKENS])
        if self._tokens is not None:
            self._tokens = SharedBucket(self._tokens.per_minute, clock, numbers[TOKENS:SPENDING])
        self.shared = shared
        """What was spent, as all workers see it."""

    def admit(self) -> None:
        with self._lock:
            super().admit()

    def take_back(self) -> None:
        with self._lock:
            super().take_back()

    def reserve(self, tokens_per_minute: int, tokens: int = 0, amount: float = 0.0) -> Reservation:
        with self._lock:
            return super().reserve(tokens_per_minute, tokens, amount)

    def settle(self, reservation: Reservation, tokens: int, cost: float) -> None:
        with self._lock:
            super().settle(reservation, tokens, cost)

    def charge(self, tokens: int, cost: float) -> None:
        with self._lock:
            super().charge(tokens, cost)

    @property
    def is_used_up(self) -> bool:
        with self._lock:
            return super().is_used_up
