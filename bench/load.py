"""So many calls in flight for so many seconds: in one event loop, or a thread each."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Awaitable, Callable

from bench.exchange import TEXT
from bench.watch import Watch

__all__ = ["Load"]

WARM_UP = 2
"""Calls that each place in flight makes before the watch runs: by then its connection is open."""
TOO_MANY = 500
"""Failures after which a peer has shown that it cannot do this."""

Call = Callable[[int], str | None]
AsyncCall = Callable[[int], Awaitable[str | None]]


class Load:
    """Drives one peer; a call takes its number and gives the text of its answer."""

    def __init__(self, in_flight: int, seconds: float, watch: Watch) -> None:
        self.failed = 0
        self.failure = ""
        self._in_flight = in_flight
        self._seconds = seconds
        self._watch = watch
        self._begun = self._done = 0
        self._stop = False

    async def drive(self, call: AsyncCall) -> int:
        """How many calls of a coroutine came back right while the watch ran."""
        await asyncio.gather(*(self._warm_up(call) for _ in range(self._in_flight)))
        before = self._done
        places = [asyncio.create_task(self._keep_on(call)) for _ in range(self._in_flight)]
        with self._watch:
            await asyncio.sleep(self._seconds)
            done = self._done - before
        self._stop = True
        await asyncio.gather(*places)
        return done

    async def _warm_up(self, call: AsyncCall) -> None:
        for _ in range(WARM_UP):
            await self._once(call)

    async def _keep_on(self, call: AsyncCall) -> None:
        while not self._stop:
            await self._once(call)

    async def _once(self, call: AsyncCall) -> None:
        self._begun += 1
        try:
            self._count(await call(self._begun))
        except Exception as error:  # noqa: BLE001 - a peer that breaks under load is a result
            self._fail(error)

    def drive_threads(self, call: Call) -> int:
        """The same for a call that blocks."""
        warm = threading.Barrier(self._in_flight + 1)
        places = [threading.Thread(target=self._place, args=(call, warm)) for _ in range(self._in_flight)]
        for place in places:
            place.start()
        warm.wait()
        before = self._done
        with self._watch:
            time.sleep(self._seconds)
            done = self._done - before
        self._stop = True
        for place in places:
            place.join()
        return done

    def _place(self, call: Call, warm: threading.Barrier) -> None:
        for _ in range(WARM_UP):
            self._once_blocking(call)
        warm.wait()
        while not self._stop:
            self._once_blocking(call)

    def _once_blocking(self, call: Call) -> None:
        self._begun += 1
        try:
            self._count(call(self._begun))
        except Exception as error:  # noqa: BLE001 - as above
            self._fail(error)

    def _count(self, text: str | None) -> None:
        if text != TEXT:
            raise ValueError(f"not the answer that was sent: {str(text)[:100]!r}")
        self._done += 1

    def _fail(self, error: Exception) -> None:
        self.failed += 1
        self.failure = f"{type(error).__name__}: {error}"[:300]
        self._stop = self._stop or self.failed > TOO_MANY
