"""How many at a time and how many a minute: concurrency limits, a rate limit, and the pace of a client."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Protocol

from connector.resilience.backoff import Backoff
from connector.timing import Timing

__all__ = ["AdaptiveConcurrency", "ConcurrencyLimit", "LocalRate", "Pacer", "Rate", "TokenBucket"]

SMALLEST = 1e-6
"""Less than this is rounding, and no reason to wait."""


class TokenBucket:
    """A bucket that fills evenly; a caller that overdraws it makes the next ones wait.

    Args:
        per_minute: tokens that flow in each minute.
        burst: tokens that the bucket holds when it is full.
        clock: monotonic seconds.
    """

    def __init__(self, per_minute: float, burst: float, clock: Callable[[], float]) -> None:
        self.per_minute = per_minute
        self._burst = self._left = burst
        self._clock = clock
        self._filled_at = clock()

    @property
    def left(self) -> float:
        """The tokens in the bucket; negative while it is overdrawn."""
        now = self._clock()
        self._left = min(self._burst, self._left + (now - self._filled_at) * self.per_minute / 60)
        self._filled_at = now
        return self._left

    def take(self, amount: float) -> None:
        """Take tokens, more than there are if need be; a negative amount gives tokens back."""
        self._left = self.left - amount

    def wait_for(self, amount: float) -> float:
        """Return the seconds until `amount` tokens, or a full bucket where that is less, are there."""
        missing = min(amount, self._burst) - self.left
        return 0.0 if missing <= SMALLEST else missing * 60 / self.per_minute

    def wait_for_any(self) -> float:
        """Return the seconds until the bucket is no longer empty."""
        left = self.left
        return 0.0 if left > SMALLEST / 1000 else (SMALLEST - left) * 60 / self.per_minute


class Rate(Protocol):
    """How many requests and tokens a minute."""

    @property
    def counts_tokens(self) -> bool:
        """Whether calls must say how many tokens they use."""
        ...

    async def take(self, tokens: int, /) -> float:
        """Wait until a call of so many tokens may go out; return the seconds waited."""
        ...

    def correct(self, tokens: int, /) -> None:
        """Take more tokens than a call was thought to use; a negative number gives tokens back."""
        ...

    def hold(self, seconds: float, /) -> None:
        """Tell whoever shares the rate that nothing should be sent for some seconds."""
        ...

    def listen(self, held: Callable[[float], None], /) -> None:
        """Call this with the seconds that others tell."""
        ...


class LocalRate:
    """A rate that this process has for itself.

    Args:
        timing: a clock and a way to wait.
        requests: requests a minute, evenly spread.
        tokens: tokens a minute, evenly spread.
    """

    def __init__(self, timing: Timing, *, requests: float | None = None, tokens: float | None = None) -> None:
        self._timing = timing
        self._requests = _bucket(requests, timing) if requests else None
        self._tokens = _bucket(tokens, timing) if tokens else None
        self.counts_tokens = self._tokens is not None

    async def take(self, tokens: int) -> float:
        waited = 0.0
        while (wait := self._remaining()) > 0:
            await self._timing.sleep(wait)
            waited += wait
        if self._requests is not None:
            self._requests.take(1)
        if self._tokens is not None:
            self._tokens.take(tokens)
        return waited

    def correct(self, tokens: int) -> None:
        if self._tokens is not None:
            self._tokens.take(tokens)

    def hold(self, seconds: float) -> None:
        """Nobody shares it."""

    def listen(self, held: Callable[[float], None]) -> None:
        """Nobody tells anything."""

    def _remaining(self) -> float:
        buckets = (self._requests, self._tokens)
        return max(bucket.wait_for_any() if bucket is not None else 0.0 for bucket in buckets)


class ConcurrencyLimit:
    """A limit that falls to one and grows by one, so that a server that is back meets no surge."""

    def __init__(self, most: int) -> None:
        self._most = most
        self.value = most

    def shrink(self) -> None:
        """Allow one at a time from now on."""
        self.value = 1

    def grow(self) -> bool:
        """Allow one more; return whether that is more than before."""
        if self.value >= self._most:
            return False
        self.value += 1
        return True


class AdaptiveConcurrency:
    """A concurrency limit that probes an upstream which is away.

    Args:
        most: the limit while all goes well.
        backoff: the delays between two probes.
        patience: failures in a row that mean that the upstream is away.
        clock: monotonic seconds.
    """

    def __init__(self, most: int, backoff: Backoff, patience: int, clock: Callable[[], float]) -> None:
        self._limit = ConcurrencyLimit(most)
        self._backoff = backoff
        self._patience = patience
        self._clock = clock
        self._failures = 0
        self._probes = 0
        self._probe_at = 0.0

    @property
    def limit(self) -> int:
        """How many may be under way, once `remaining` is over."""
        return self._limit.value

    @property
    def remaining(self) -> float:
        """The seconds until the next probe; 0 when it may be made now."""
        return max(self._probe_at - self._clock(), 0.0) if self._probes else 0.0

    def shrink(self) -> None:
        """Allow one at a time until one succeeds."""
        self._limit.shrink()

    def record_failure(self) -> None:
        """Note one that could not be tried; after too many of them only probes are allowed."""
        self._failures += 1
        if self.remaining or self._failures < self._patience:
            return
        self._probe_at = self._clock() + self._backoff.delay(self._probes)
        self._probes += 1
        self.shrink()

    def record_success(self) -> bool:
        """Note one that was tried; return whether more are allowed because of that."""
        self._failures = self._probes = 0
        return self._limit.grow()


class Pacer:
    """What every attempt of a client passes.

    After a shared wait one call goes out, and then one more with each that succeeds, so that the calls which waited do
    not all arrive at once.

    Args:
        concurrency: calls under way at a time.
        timing: a clock and a way to wait.
        requests: requests a minute, evenly spread.
        tokens: tokens a minute, evenly spread.
        rate: what calls wait for in place of those two.
    """

    def __init__(
        self,
        concurrency: int,
        timing: Timing,
        *,
        requests: float | None = None,
        tokens: float | None = None,
        rate: Rate | None = None,
    ) -> None:
        self._limit = ConcurrencyLimit(concurrency)
        self._active = 0
        self._queue: deque[asyncio.Future[None]] = deque()
        self._timing = timing
        self._not_before = 0.0
        self._rate = rate or (LocalRate(timing, requests=requests, tokens=tokens) if requests or tokens else None)
        self.counts_tokens = self._rate is not None and self._rate.counts_tokens
        """Whether calls must say how many tokens they use."""
        if self._rate is not None:
            self._rate.listen(self._hold)

    @property
    def is_busy(self) -> bool:
        """Whether the next call may have to wait."""
        return self._rate is not None or self._not_before > 0 or self._active >= self._limit.value

    def enter(self) -> bool:
        """Take a place when nothing has to be waited for, and return whether it was taken."""
        if self.is_busy:
            return False
        self._active += 1
        return True

    async def acquire(self, tokens: int = 0) -> float:
        """Wait for a place and for the shared wait; return the seconds waited for the latter."""
        if self._active >= self._limit.value:
            await self._wait_for_place()
        else:
            self._active += 1
        if self._rate is None and not self._not_before:
            return 0.0
        try:
            return await self._wait_for_turn(tokens)
        except BaseException:
            self.release()
            raise

    def release(self) -> None:
        """Give the place to the next in the queue."""
        self._active -= 1
        self._admit()

    def hold(self, seconds: float) -> None:
        """Make all calls wait, those of other processes too where they share the rate, and then begin slowly."""
        if self._rate is not None:
            self._rate.hold(seconds)
        self._hold(seconds)

    def _hold(self, seconds: float) -> None:
        self._not_before = max(self._not_before, self._timing.clock() + seconds)
        self._limit.shrink()

    def speed_up(self) -> None:
        """Allow one more call at a time, after one that succeeded."""
        if self._limit.grow():
            self._admit()

    def correct(self, estimate: int, used: int) -> None:
        """Put the tokens that a call used in the place of their estimate."""
        if self._rate is not None:
            self._rate.correct(used - estimate)

    async def _wait_for_place(self) -> None:
        place: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._queue.append(place)
        try:
            await place
        except asyncio.CancelledError:
            if place.done() and not place.cancelled():
                self.release()
            raise

    def _admit(self) -> None:
        while self._queue and self._active < self._limit.value:
            place = self._queue.popleft()
            if not place.done():
                self._active += 1
                place.set_result(None)

    async def _wait_for_turn(self, tokens: int) -> float:
        waited = await self._wait_until_free()
        if self._rate is not None:
            waited += await self._rate.take(tokens)
            waited += await self._wait_until_free()
        return waited

    async def _wait_until_free(self) -> float:
        """Wait until the shared wait is over."""
        waited = 0.0
        while (wait := self._not_before - self._timing.clock()) > 0:
            await self._timing.sleep(wait)
            waited += wait
        self._not_before = 0.0
        return waited


def _bucket(per_minute: float, timing: Timing) -> TokenBucket:
    """Return a bucket that holds one second's worth, and at least one."""
    return TokenBucket(per_minute, max(1.0, per_minute / 60), timing.clock)
