"""How fast one client goes: calls at a time, requests and tokens a minute, and one wait that everybody shares."""

from __future__ import annotations

import asyncio
from collections import deque

from connector.model import JSON, members
from connector.timing import Timing

__all__ = ["Bucket", "Pace"]


class Bucket:
    """A flow of so many a minute, even but for one second's worth; who overdraws it makes the next ones wait."""

    def __init__(self, per_minute: float, timing: Timing) -> None:
        self._rate = per_minute / 60
        self._most = max(1.0, self._rate)
        self._left = self._most
        self._timing = timing
        self._seen = timing.clock()

    def wait(self) -> float:
        """The seconds until something may be taken."""
        now = self._timing.clock()
        self._left = min(self._most, self._left + (now - self._seen) * self._rate)
        self._seen = now
        return 0.0 if self._left > 1e-9 else (1e-6 - self._left) / self._rate

    def take(self, amount: float) -> None:
        self._left -= amount


class Pace:
    """The gate every attempt of a client passes.

    After a shared wait the gate opens for one call and then for one more with each that succeeds, so that the calls
    which waited do not all arrive at once.
    """

    def __init__(
        self, concurrency: int, timing: Timing, *, requests: float | None = None, tokens: float | None = None
    ) -> None:
        self._concurrency = concurrency
        self._window = concurrency
        self._active = 0
        self._queue: deque[asyncio.Future[None]] = deque()
        self._timing = timing
        self._not_before = 0.0
        self._requests = Bucket(requests, timing) if requests else None
        self._tokens = Bucket(tokens, timing) if tokens else None
        self._limited = requests is not None or tokens is not None

    @property
    def crowded(self) -> bool:
        """Whether the next call may have to wait."""
        return self._limited or self._not_before > 0 or self._active >= self._window

    async def enter(self, tokens: int = 0) -> float:
        """Waits for a place and for the shared wait; returns the seconds waited for the latter."""
        if self._active >= self._window:
            await self._queued()
        else:
            self._active += 1
        if not self._limited and not self._not_before:
            return 0.0
        try:
            return await self._held(tokens)
        except BaseException:
            self.leave()
            raise

    def leave(self) -> None:
        """Gives the place to the next in the queue."""
        self._active -= 1
        self._admit()

    def hold(self, seconds: float) -> None:
        """Makes everybody wait, and then begin slowly."""
        self._not_before = max(self._not_before, self._timing.clock() + seconds)
        self._window = 1

    def ease(self) -> None:
        """One more call at a time, after one that succeeded."""
        if self._window < self._concurrency:
            self._window += 1
            self._admit()

    def spend(self, estimate: int, answer: JSON) -> None:
        """Corrects an estimate by the usage that the answer tells."""
        if self._tokens is not None:
            used = members(members(answer).get("usage")).get("total_tokens")
            if isinstance(used, int):
                self._tokens.take(used - estimate)

    async def _queued(self) -> None:
        place: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._queue.append(place)
        try:
            await place
        except asyncio.CancelledError:
            if place.done() and not place.cancelled():
                self.leave()
            raise

    def _admit(self) -> None:
        while self._queue and self._active < self._window:
            place = self._queue.popleft()
            if not place.done():
                self._active += 1
                place.set_result(None)

    async def _held(self, tokens: int) -> float:
        waited = 0.0
        while (wait := self._due()) > 0:
            await self._timing.sleep(wait)
            waited += wait
        if self._requests is not None:
            self._requests.take(1)
        if self._tokens is not None:
            self._tokens.take(tokens)
        return waited

    def _due(self) -> float:
        wait = self._not_before - self._timing.clock()
        if wait <= 0:
            self._not_before = 0.0
        for bucket in (self._requests, self._tokens):
            if bucket is not None:
                wait = max(wait, bucket.wait())
        return max(wait, 0.0)
