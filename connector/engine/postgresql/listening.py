"""Hears when jobs come, from whichever worker; a connection that is lost is made anew."""

from __future__ import annotations

import asyncio
import contextlib
from functools import partial
from typing import TYPE_CHECKING, Any

from connector.engine.postgresql.jobs import CHANNEL

if TYPE_CHECKING:
    from connector.engine.postgresql.connecting import Links

__all__ = ["Listening"]


class Listening:
    """Wakes those who wait for something to lease."""

    def __init__(self, links: Links) -> None:
        self._links = links
        self._heard = asyncio.Event()
        self._at_work: asyncio.Task[None] | None = None

    def start(self) -> None:
        self._at_work = asyncio.create_task(self._work())

    async def close(self) -> None:
        if self._at_work is not None:
            self._at_work.cancel()
            await asyncio.gather(self._at_work, return_exceptions=True)

    async def wait(self, seconds: float) -> None:
        """Until something changes, but not longer than so many seconds."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._heard.wait()
        self._heard.clear()

    async def _work(self) -> None:
        while True:
            await self._links.persist(self._listen)

    async def _listen(self) -> None:
        connection = await self._links.alone()
        lost = asyncio.Event()
        try:
            connection.add_termination_listener(partial(_set, lost))
            await connection.add_listener(CHANNEL, self._hear)
            self._heard.set()
            await lost.wait()
        finally:
            connection.terminate()

    def _hear(self, *_: Any) -> None:
        self._heard.set()


def _set(event: asyncio.Event, *_: Any) -> None:
    event.set()
