"""The pace of one client: calls at a time, requests and tokens a minute, and a wait that all its calls share."""

from __future__ import annotations

import asyncio
from collections import deque

from connector.resilience.concurrency import ConcurrencyLimit
from connector.resilience.rate_limit import TokenBucket
from connector.timing import Timing

__all__ = ["Pacer"]


class Pacer:
    """What every attempt of a client passes.

    After a shared wait one call goes out, and then one more with each that succeeds, so that the calls which waited do
    not all arrive at once.

    Args:
        concurrency: calls under way at a time.
        timing: a clock and a way to wait.
        requests: requests a minute, evenly spread.
        tokens: tokens a minute, evenly spread.
    """

    def __init__(
        self, concurrency: int, timing: Timing, *, requests: float | None = None, tokens: float | None = None
    ) -> None:
        self._limit = ConcurrencyLimit(concurrency)
        self._active = 0
        self._queue: deque[asyncio.Future[None]] = deque()
        self._timing = timing
        self._not_before = 0.0
        self._requests = _bucket(requests, timing) if requests else None
        self._tokens = _bucket(tokens, timing) if tokens else None
        self._is_limited = requests is not None or tokens is not None

    @property
    def is_busy(self) -> bool:
        """Whether the next call may have to wait."""
        return self._is_limited or self._not_before > 0 or self._active >= self._limit.value

    async def acquire(self, tokens: int = 0) -> float:
        """Wait for a place and for the shared wait; return the seconds waited for the latter."""
        if self._active >= self._limit.value:
            await self._wait_for_place()
        else:
            self._active += 1
        if not self._is_limited and not self._not_before:
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
        """Make all calls wait, and then begin slowly."""
        self._not_before = max(self._not_before, self._timing.clock() + seconds)
        self._limit.shrink()

    def speed_up(self) -> None:
        """Allow one more call at a time, after one that succeeded."""
        if self._limit.grow():
            self._admit()

    def correct(self, estimate: int, used: int) -> None:
        """Put the tokens that a call used in the place of their estimate."""
        if self._tokens is not None:
            self._tokens.take(used - estimate)

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
        waited = 0.0
        while (wait := self._remaining()) > 0:
            await self._timing.sleep(wait)
            waited += wait
        if self._requests is not None:
            self._requests.take(1)
        if self._tokens is not None:
            self._tokens.take(tokens)
        return waited

    def _remaining(self) -> float:
        wait = self._not_before - self._timing.clock()
        if wait <= 0:
            self._not_before = 0.0
        for bucket in (self._requests, self._tokens):
            if bucket is not None:
                wait = max(wait, bucket.wait_for_any())
        return max(wait, 0.0)


def _bucket(per_minute: float, timing: Timing) -> TokenBucket:
    """Return a bucket that holds one second's worth, and at least one."""
    return TokenBucket(per_minute, max(1.0, per_minute / 60), timing.clock)
