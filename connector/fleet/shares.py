"""The accounts of a process, for which it asks a divider once a second, with one question for all."""

from __future__ import annotations

import asyncio
import logging
import os
import socket
import uuid
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from connector.aio.tasks import cancel_all, wait_for_event
from connector.fleet.account import AccountShare
from connector.fleet.divider import Ask, Away, Divider
from connector.fleet.part import PERIOD, Part
from connector.timing import SYSTEM, Timing

__all__ = ["FleetShares", "name_process", "open_shares"]

STEP = 0.05
"""Seconds after which it is looked again whether those that wait can go."""
HASTE = 0.1
"""Seconds after which it is asked again already, when there is something that cannot wait."""

log = logging.getLogger(__name__)


def name_process() -> str:
    """Return a name that no other process has."""
    return f"{socket.gethostname()}:{os.getpid()}:{uuid.uuid4().hex[:8]}"


@asynccontextmanager
async def open_shares(engine: str) -> AsyncGenerator[FleetShares | None, None]:
    """Share accounts with all processes whose tasks are kept in the same PostgreSQL; with none for another engine."""
    if engine.partition(":")[0] not in ("postgresql", "postgres"):
        yield None
        return
    from connector.fleet.postgresql import PostgreSQLDivider

    shares = FleetShares(PostgreSQLDivider(engine))
    await shares.open()
    try:
        yield shares
    finally:
        await shares.close()


class FleetShares:
    """What a process has of the accounts that it shares with others.

    Args:
        divider: divides limits among processes.
        process: a name that no other process has.
        timing: a clock and a way to wait.
    """

    def __init__(self, divider: Divider, process: str = "", timing: Timing = SYSTEM) -> None:
        self._divider = divider
        self._process = process or name_process()
        self._timing = timing
        self._accounts: dict[str, AccountShare] = {}
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
        back = [part.ask(0.0, 0.0, leave=True) for account in self._active() for part in account.parts]
        try:
            await self._divider.exchange(self._process, back, [])
        except Away as away:
            log.debug("nothing was given back: %s", away)
        await self._divider.close()

    def account(self, name: str, *, requests: float | None = None, tokens: float | None = None) -> AccountShare:
        """Return the share of an account, the same for each that asks.

        Args:
            name: the account, and whose limits they are.
            requests: requests a minute, for all processes together.
            tokens: tokens a minute, for all processes together.
        """
        if name not in self._accounts:
            self._accounts[name] = AccountShare(name, requests, tokens, self._timing, self._wake)
        return self._accounts[name]

    async def _run(self) -> None:
        clock = self._timing.clock
        while True:
            while not self._active():
                self._wake.clear()
                await self._wake.wait()
            asked = clock()
            await self._exchange()
            while (rest := asked + PERIOD - clock()) > 0:
                self._wake.clear()
                waits = False
                for account in self._accounts.values():
                    account.serve()
                    waits = waits or account.waits or account.is_in_haste
                if clock() - asked >= HASTE and any(account.is_in_haste for account in self._accounts.values()):
                    break
                await wait_for_event(self._wake, min(STEP, rest) if waits else rest, self._timing)

    def _active(self) -> list[AccountShare]:
        return [account for account in self._accounts.values() if not account.is_idle]

    async def _exchange(self) -> None:
        for account in self._accounts.values():
            account.serve()  # what has become free since is used, and not given back
        active = self._active()
        asked: list[tuple[Part, Ask]] = [
            (part, part.ask(*account.waiting(part))) for account in active for part in account.parts
        ]
        told = [account.tell() for account in active]
        try:
            answer = await self._divider.exchange(self._process, [ask for _, ask in asked], told)
        except Away as away:
            self._note(away)
            for account, sign in zip(active, told, strict=True):
                account.miss(sign)
            return
        self._note(None)
        now = self._timing.clock()
        for (part, ask), grant in zip(asked, answer.grants, strict=True):
            part.receive(ask, grant, now)
        for account, heard in zip(active, answer.signs, strict=True):
            account.hear(heard)

    def _note(self, away: Away | None) -> None:
        """Log once that the divider is away, and once that it is back."""
        if away is not None and not self._is_away:
            log.warning("%s; limits are kept by the last shares, which shrink until it is back", away)
        elif away is None and self._is_away:
            log.info("limits are divided among all processes again")
        self._is_away = away is not None
