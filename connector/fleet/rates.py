"""Makes the clients of a process wait for its shares of limits, and asks for the shares."""

from __future__ import annotations

import asyncio
import logging
import os
import socket
import uuid
from collections import deque
from collections.abc import Sequence

from connector.aio.tasks import cancel_all, wait_for_event
from connector.fleet.divider import Away, Divider
from connector.fleet.share import PERIOD, Share
from connector.timing import SYSTEM, Timing

__all__ = ["FleetRate", "FleetRates", "name_process"]

STEP = 0.05
"""Seconds after which it is looked again whether those that wait can go."""
HASTE = 0.1
"""Seconds after which more is asked for already, while there is enough for all."""

log = logging.getLogger(__name__)


def name_process() -> str:
    """Return a name that no other process has."""
    return f"{socket.gethostname()}:{os.getpid()}:{uuid.uuid4().hex[:8]}"


class FleetRate:
    """The rate of one account, as far as this process has a share of it.

    Args:
        account: whose limits they are.
        requests: requests a minute, for all processes together.
        tokens: tokens a minute, for all processes together.
        timing: a clock.
        wake: called when somebody waits.
    """

    def __init__(
        self, account: str, requests: float | None, tokens: float | None, timing: Timing, wake: asyncio.Event
    ) -> None:
        self._timing = timing
        self._wake = wake
        now = timing.clock()
        self._requests = Share(f"{account} requests", requests / 60, now) if requests else None
        self._tokens = Share(f"{account} tokens", tokens / 60, now) if tokens else None
        self.shares: Sequence[Share] = [share for share in (self._requests, self._tokens) if share is not None]
        self.counts_tokens = self._tokens is not None
        """Whether calls must say how many tokens they use."""
        self._queue: deque[tuple[asyncio.Future[None], int]] = deque()

    @property
    def is_idle(self) -> bool:
        """Whether there is nothing to ask for, nor to give back."""
        return not self._queue and all(share.is_idle for share in self.shares)

    @property
    def waits(self) -> bool:
        """Whether somebody waits."""
        return bool(self._queue)

    @property
    def is_in_haste(self) -> bool:
        """Whether somebody waits for what only asking again can give, and there is enough for all."""
        if not self._queue or any(share.is_short for share in self.shares):
            return False
        tokens = self._queue[0][1]
        return any(not share.holds(self._amount(share, tokens)) for share in self.shares)

    async def take(self, tokens: int) -> float:
        """Wait until a call may go out; return the seconds waited.

        Args:
            tokens: how many it is likely to use.
        """
        began = self._timing.clock()
        for share in self.shares:
            share.arrive(self._amount(share, tokens))
        if not self._queue and self._fits(tokens, began):
            self._use(tokens)
            return 0.0
        place: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._queue.append((place, tokens))
        self._wake.set()
        try:
            await place
        except asyncio.CancelledError:
            if place.done() and not place.cancelled():
                for share in self.shares:
                    share.take(-self._amount(share, tokens))
            raise
        return self._timing.clock() - began

    def correct(self, tokens: int) -> None:
        """Use more tokens than were taken; a negative number gives tokens back."""
        if self._tokens is not None:
            self._tokens.take(tokens)

    def serve(self) -> None:
        """Let go those for whom there is enough now, one after the other."""
        now = self._timing.clock()
        while self._queue:
            place, tokens = self._queue[0]
            if place.done():
                self._queue.popleft()
                continue
            if not self._fits(tokens, now):
                return
            self._queue.popleft()
            self._use(tokens)
            place.set_result(None)

    def waiting(self, share: Share) -> tuple[float, float]:
        """Return what those that wait need of a share, and what the first of them needs."""
        amounts = [self._amount(share, tokens) for place, tokens in self._queue if not place.done()]
        return sum(amounts), amounts[0] if amounts else 0.0

    def _amount(self, share: Share, tokens: int) -> int:
        return tokens if share is self._tokens else 1

    def _fits(self, tokens: int, now: float) -> bool:
        return all(share.has(self._amount(share, tokens), now) for share in self.shares)

    def _use(self, tokens: int) -> None:
        for share in self.shares:
            share.take(self._amount(share, tokens))


class FleetRates:
    """The rates of a process, whose shares are asked for once a second, all in one question.

    Args:
        divider: divides limits among processes.
        process: a name that no other process has.
        timing: a clock and a way to wait.
    """

    def __init__(self, divider: Divider, process: str = "", timing: Timing = SYSTEM) -> None:
        self._divider = divider
        self._process = process or name_process()
        self._timing = timing
        self._rates: dict[str, FleetRate] = {}
        self._wake = asyncio.Event()
        self._keeper: asyncio.Task[None] | None = None
        self._is_away = False

    async def open(self) -> None:
        """Begin to ask for shares; raise Away when the divider cannot be reached."""
        await self._divider.open()
        self._keeper = asyncio.create_task(self._run())

    async def close(self) -> None:
        """Give everything back, and close the divider."""
        await cancel_all(self._keeper)
        try:
            await self._divider.exchange(
                self._process, [share.ask(0.0, 0.0, leave=True) for _, share in self._active()]
            )
        except Away:
            log.debug("nothing was given back: %s", "the divider is away")
        await self._divider.close()

    def rate(self, account: str, *, requests: float | None = None, tokens: float | None = None) -> FleetRate | None:
        """Return the rate of an account, the same for each that asks; None without limits.

        Args:
            account: whose limits they are.
            requests: requests a minute, for all processes together.
            tokens: tokens a minute, for all processes together.
        """
        if not requests and not tokens:
            return None
        if account not in self._rates:
            self._rates[account] = FleetRate(account, requests, tokens, self._timing, self._wake)
        return self._rates[account]

    async def _run(self) -> None:
        clock = self._timing.clock
        while True:
            if all(rate.is_idle for rate in self._rates.values()):
                self._wake.clear()
                await self._wake.wait()
            asked = clock()
            await self._exchange()
            while (rest := asked + PERIOD - clock()) > 0:
                self._wake.clear()
                self._serve()
                if clock() - asked >= HASTE and any(rate.is_in_haste for rate in self._rates.values()):
                    break
                waits = any(rate.waits for rate in self._rates.values())
                await wait_for_event(self._wake, min(STEP, rest) if waits else rest, self._timing)

    def _serve(self) -> None:
        for rate in self._rates.values():
            rate.serve()

    def _active(self) -> list[tuple[FleetRate, Share]]:
        return [(rate, share) for rate in self._rates.values() if not rate.is_idle for share in rate.shares]

    async def _exchange(self) -> None:
        active = self._active()
        asks = [share.ask(*rate.waiting(share)) for rate, share in active]
        try:
            grants = await self._divider.exchange(self._process, asks)
        except Away as away:
            if not self._is_away:
                log.warning("%s; limits are kept by the last shares, which shrink until it is back", away)
            self._is_away = True
            for _, share in active:
                share.miss(self._timing.clock())
            return
        if self._is_away:
            log.info("limits are divided among all processes again")
        self._is_away = False
        for (_, share), ask, grant in zip(active, asks, grants, strict=True):
            share.receive(ask, grant, self._timing.clock())
