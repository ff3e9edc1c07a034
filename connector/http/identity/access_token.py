"""The access token of a client: one exchange for all calls, renewed before the token ends."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Protocol

from connector.aio.tasks import cancel_all
from connector.http.identity.exchange import Grant
from connector.http.identity.failure import IdentityFailed
from connector.resilience import Backoff
from connector.timing import Timing

__all__ = ["AccessTokens"]

BACKOFF = Backoff(first=0.5, longest=60.0)
SPREAD = 0.1
"""Share of a token's time that chance takes away, so that many processes do not renew theirs at once."""
LONGEST_PAUSE = 5.0
"""Seconds that a call waits for the next exchange after one that failed; a longer pause ends it at once."""
CALM = 60.0
"""Seconds without an exchange for a 401, once a new token was refused like the old one."""


class Exchanging(Protocol):
    """What gives access tokens."""

    def __call__(self) -> Awaitable[Grant]:
        """Return a new one; IdentityFailed says in words why there is none."""
        ...

    def identify(self) -> object:
        """Return what changes when the workload has another token of its own."""
        ...


@dataclass(frozen=True, slots=True)
class _Held:
    """A token and its times, by the clock of its keeper."""

    token: str
    ends_at: float
    renew_at: float


class AccessTokens:
    """Keeps one access token for all calls of a client.

    A call that finds a token gets it at once, also while it is being renewed or when that failed. Calls that find none
    wait for one exchange together.

    Args:
        exchange: gives new tokens.
        refresh_before: seconds before a token's end in which it is renewed; at most half of its life.
        timing: a clock, a way to wait and chance.
        report: takes a sentence for each renewal that failed while the token before it still holds.
    """

    def __init__(
        self,
        exchange: Exchanging,
        *,
        refresh_before: float,
        timing: Timing,
        report: Callable[[str], None] = lambda _: None,
    ) -> None:
        self._exchange = exchange
        self._report = report
        self._refresh_before = refresh_before
        self._timing = timing
        self._held: _Held | None = None
        self._renewal: asyncio.Task[str] | None = None
        self._failure: IdentityFailed | None = None
        self._failures = 0
        self._failed_source: object = None
        self._retry_at = 0.0
        self._calm_until = 0.0
        self._doubted = ""

    async def get(self) -> str:
        """Return a token that holds; IdentityFailed says in words why there is none."""
        held, now = self._held, self._timing.clock()
        if held is None or now >= held.ends_at:
            return await asyncio.shield(self._renew())
        if now >= held.renew_at and (now >= self._retry_at or self._has_new_source()):
            self._renew()
        if held.token == self._doubted and self._renewal is not None and not self._renewal.done():
            return await self.replace(held.token) or held.token
        return held.token

    async def replace(self, refused: str) -> str | None:
        """Return another token than one that was answered with 401; None if there is none to be had."""
        if self._held is not None and self._held.token != refused:
            return await self.get()
        if self._timing.clock() < self._calm_until:
            return None
        try:
            return await asyncio.shield(self._renew())
        except IdentityFailed:
            return None

    def doubt(self, refused: str) -> None:
        """Begin to renew a token that was answered with 401, for the calls to come."""
        if self._held is not None and self._held.token == refused and self._timing.clock() >= self._calm_until:
            self._doubted = refused
            self._renew()

    def calm_down(self) -> None:
        """Note that a new token was answered with 401 too: it is not the token that is wrong."""
        self._calm_until = self._timing.clock() + CALM

    async def close(self) -> None:
        """Give up an exchange that is under way."""
        await cancel_all(self._renewal)

    def _renew(self) -> asyncio.Task[str]:
        """Return the one exchange that is under way, begun now if there is none."""
        if self._renewal is None or self._renewal.done():
            self._renewal = asyncio.create_task(self._exchange_once())
            self._renewal.add_done_callback(_take_failure)
        return self._renewal

    async def _exchange_once(self) -> str:
        await self._pause()
        source = self._exchange.identify()
        try:
            grant = await self._exchange()
        except IdentityFailed as failure:
            self._note_failure(failure, source)
            raise
        self._keep(grant)
        return grant.token

    async def _pause(self) -> None:
        """Wait until the next exchange may be tried; a long pause ends in the last failure at once."""
        pause = self._retry_at - self._timing.clock()
        if self._failure is None or pause <= 0 or self._has_new_source():
            return
        if pause > LONGEST_PAUSE or self._failure.is_final:
            raise IdentityFailed(
                str(self._failure).removeprefix("identity: "), is_final=self._failure.is_final
            ) from None
        await self._timing.sleep(pause)

    def _has_new_source(self) -> bool:
        """Return whether the workload was given another token since the last exchange failed."""
        return self._failure is not None and self._exchange.identify() != self._failed_source

    def _note_failure(self, failure: IdentityFailed, source: object) -> None:
        self._failure, self._failed_source = failure, source
        delay = BACKOFF.delay(self._failures, self._timing.chance(), failure.wait)
        self._failures += 1
        now = self._timing.clock()
        self._retry_at = now + delay
        if self._held is not None and now < self._held.ends_at:
            left = f"{self._held.ends_at - now:.0f} seconds"
            self._report(f"{failure}; the access token before it holds for {left} more")

    def _keep(self, grant: Grant) -> None:
        now = self._timing.clock()
        early = min(self._refresh_before, grant.seconds / 2)
        life = (grant.seconds - early) * (1 - SPREAD * self._timing.chance())
        self._held = _Held(grant.token, now + grant.seconds, now + life)
        self._failure, self._failures, self._retry_at = None, 0, 0.0


def _take_failure(renewal: asyncio.Task[str]) -> None:
    """Take the failure of an exchange that nobody waits for: the old token is still used."""
    if not renewal.cancelled():
        renewal.exception()
