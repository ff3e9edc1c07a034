"""Work that is done when it is due, by one task."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from contextlib import suppress

__all__ = ["Background"]

NAP = 0.25
"""The longest time that passes without a look at the clock, which need not be this machine's."""

log = logging.getLogger(__name__)


class Background:
    """Calls `work` whenever `wait` says that nothing more is to be waited for, and after every stir."""

    def __init__(self, work: Callable[[], Awaitable[None]], wait: Callable[[], float | None]) -> None:
        self._work = work
        self._wait = wait
        self._stirred = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        self._task = asyncio.create_task(self._run())

    def stir(self) -> None:
        """There may be something to do sooner than was thought."""
        self._stirred.set()

    async def stop(self) -> None:
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task
            self._task = None

    async def _run(self) -> None:
        while True:
            self._stirred.clear()
            try:
                await self._work()
            except Exception:
                log.exception("a process of the sandbox failed; the others go on")
            wait = self._wait()
            with suppress(TimeoutError):
                async with asyncio.timeout(None if wait is None else min(max(wait, 0.005), NAP)):
                    await self._stirred.wait()
