"""One account as a process sees it: its part of the limits, what others say of it, and the calls that wait."""

from __future__ import annotations

import asyncio
import math
from collections import deque
from collections.abc import Callable, Sequence

from connector.fleet.divider import Sign
from connector.fleet.part import PERIOD, Part
from connector.timing import Timing

__all__ = ["AccountShare"]

STALE = 3 * PERIOD
"""Seconds after which what others said is too old for a call to go out by."""


class AccountShare:
    """What a process has of one account; it is the rate of each of its clients.

    Args:
        account: a name that is the same in all processes.
        requests: requests a minute, for all processes together.
        tokens: tokens a minute, for all processes together.
        timing: a clock.
        wake: set when there is something to ask or to tell.
    """

    def __init__(
        self, account: str, requests: float | None, tokens: float | None, timing: Timing, wake: asyncio.Event
    ) -> None:
        self.account = account
        self._timing = timing
        self._wake = wake
        now = timing.clock()
        self._requests = Part(f"{account} requests", requests / 60, now) if requests else None
        self._tokens = Part(f"{account} tokens", tokens / 60, now) if tokens else None
        self.parts: Sequence[Part] = [part for part in (self._requests, self._tokens) if part is not None]
        self.counts_tokens = self._tokens is not None
        """Whether calls must say how many tokens they use."""
        self._queue: deque[tuple[asyncio.Future[None], int]] = deque()
        self._on_hold: list[Callable[[float], None]] = []
        self._on_pause: list[Callable[[str], None]] = []
        self._heard_at = -math.inf
        self._is_used = False
        self._held_until = 0.0
        self._told_hold = 0.0
        self._pause = self._told_pause = ""
        self._resumes = False
        self._probes: list[asyncio.Future[bool]] = []

    def listen(self, held: Callable[[float], None]) -> None:
        """Call this with the seconds for which nothing may be sent, as others say."""
        self._on_hold.append(held)

    def listen_to_pauses(self, paused: Callable[[str], None]) -> None:
        """Call this with why others pause the account; with an empty text when they do no longer."""
        self._on_pause.append(paused)

    @property
    def is_paused(self) -> bool:
        """Whether the account is paused for all processes, as far as this one knows."""
        return bool(self._pause)

    @property
    def is_idle(self) -> bool:
        """Whether there is nothing to ask for, to tell or to give back."""
        busy = self._is_used or self._told_hold or self._told_pause or self._resumes or self._pause
        return not (busy or self._probes or self._queue) and all(part.is_idle for part in self.parts)

    @property
    def waits(self) -> bool:
        """Whether somebody waits."""
        return bool(self._queue)

    @property
    def is_in_haste(self) -> bool:
        """Whether there is something that the others must hear, or enough for all of what somebody waits for."""
        if self._told_hold or self._told_pause or self._resumes or self._probes:
            return True
        if not self._queue or any(part.is_short for part in self.parts):
            return False
        tokens = self._queue[0][1]
        return any(not part.holds(self._amount(part, tokens)) for part in self.parts)

    async def take(self, tokens: int) -> float:
        """Wait until a call may go out; return the seconds waited.

        Args:
            tokens: how many it is likely to use.
        """
        began = self._timing.clock()
        if not self._is_used:
            # Whoever calls listens, also when there is nothing to wait for.
            self._is_used = True
            self._wake.set()
        for part in self.parts:
            part.arrive(self._amount(part, tokens))
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
                for part in self.parts:
                    part.take(-self._amount(part, tokens))
            raise
        return self._timing.clock() - began

    def correct(self, tokens: int) -> None:
        """Use more tokens than were taken; a negative number gives tokens back."""
        if self._tokens is not None:
            self._tokens.take(tokens)

    def hold(self, seconds: float) -> None:
        """Tell all processes that nothing should be sent for some seconds."""
        self._told_hold = max(self._told_hold, self._timing.clock() + seconds)
        self._wake.set()

    def pause(self, why: str) -> None:
        """Tell all processes why nothing should be sent until a person has acted."""
        self._pause = self._told_pause = why
        self._resumes = False
        self._wake.set()

    def resume(self) -> None:
        """Tell all processes that the reason of a pause is gone."""
        self._pause = self._told_pause = ""
        self._resumes = True
        self._wake.set()

    async def may_probe(self) -> bool:
        """Return whether this process may find out whether the reason of a pause is gone: one at a time may."""
        place: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self._probes.append(place)
        self._wake.set()
        return await place

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

    def waiting(self, part: Part) -> tuple[float, float]:
        """Return what those that wait need of a part, and what the first of them needs."""
        amounts = [self._amount(part, tokens) for place, tokens in self._queue if not place.done()]
        return sum(amounts), amounts[0] if amounts else 0.0

    def tell(self) -> Sign:
        """Return what to tell the others."""
        hold = max(self._told_hold - self._timing.clock(), 0.0) if self._told_hold else 0.0
        sign = Sign(self.account, hold, self._told_pause, resumed=self._resumes, probe=bool(self._probes))
        self._told_hold, self._told_pause, self._resumes, self._is_used = 0.0, "", False, False
        return sign

    def hear(self, heard: Sign) -> None:
        """Take in what holds for all."""
        now = self._timing.clock()
        self._heard_at = now
        if heard.hold > 0 and now + heard.hold > self._held_until + PERIOD / 10:
            self._held_until = now + heard.hold
            for held in self._on_hold:
                held(heard.hold)
        if not self._told_pause and not self._resumes and heard.pause != self._pause:
            self._pause = heard.pause
            for paused in self._on_pause:
                paused(heard.pause)
        self._answer_probes(allowed=heard.probe)

    def miss(self, told: Sign) -> None:
        """Keep what nobody has heard, and go on by what was heard last."""
        now = self._timing.clock()
        self._heard_at = now
        self._told_hold = self._told_hold or (now + told.hold if told.hold else 0.0)
        if not self._resumes and not self._told_pause:
            self._told_pause, self._resumes = told.pause, told.resumed
        for part in self.parts:
            part.miss(now)
        # Whoever cannot ask finds out alone.
        self._answer_probes(allowed=True)

    def _answer_probes(self, *, allowed: bool) -> None:
        probes, self._probes = self._probes, []
        for place in probes:
            if not place.done():
                place.set_result(allowed)
                allowed = False

    def _amount(self, part: Part, tokens: int) -> int:
        return tokens if part is self._tokens else 1

    def _fits(self, tokens: int, now: float) -> bool:
        return now - self._heard_at < STALE and all(part.has(self._amount(part, tokens), now) for part in self.parts)

    def _use(self, tokens: int) -> None:
        for part in self.parts:
            part.take(self._amount(part, tokens))
