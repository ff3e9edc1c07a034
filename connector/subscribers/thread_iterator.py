"""Iterate over a blocking source that runs in a thread of its own, a block at a time."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncGenerator, Callable, Generator
from contextlib import suppress
from contextvars import copy_context
from dataclasses import dataclass
from typing import Generic, TypeVar

__all__ = ["iterate_in_thread"]

Item = TypeVar("Item")
CLOSE_SECONDS = 1.0
"""Seconds that a source gets to close its files; one that waits for a silent pipe is left behind."""


@dataclass(frozen=True, slots=True)
class _End:
    error: BaseException | None = None


class _Pump(Generic[Item]):
    """Moves blocks from a thread to the event loop, one ahead."""

    def __init__(self, blocks: Callable[[], Generator[list[Item], None, None]]) -> None:
        self._blocks = blocks
        self._loop = asyncio.get_running_loop()
        self.queue: asyncio.Queue[list[Item] | _End] = asyncio.Queue(1)
        self._stop = threading.Event()
        # A daemon, because a read from a silent pipe must not keep the process.
        self._thread = threading.Thread(target=copy_context().run, args=(self._run,), daemon=True, name="incoming")
        self._thread.start()

    def _run(self) -> None:
        source = self._blocks()
        end = _End()
        try:
            for block in source:
                if not self._put(block):
                    return
        except BaseException as error:  # noqa: BLE001  raised again where the documents are awaited
            end = _End(error)
        finally:
            source.close()
            self._put(end)

    def _put(self, block: list[Item] | _End) -> bool:
        if self._stop.is_set():
            return False
        with suppress(RuntimeError):  # the loop is closed
            asyncio.run_coroutine_threadsafe(self.queue.put(block), self._loop).result()
        return not self._stop.is_set()

    async def close(self) -> None:
        self._stop.set()
        while not self.queue.empty():
            self.queue.get_nowait()
        await asyncio.to_thread(self._thread.join, CLOSE_SECONDS)


async def iterate_in_thread(blocks: Callable[[], Generator[list[Item], None, None]]) -> AsyncGenerator[Item, None]:
    """Yield the items of a generator's blocks; the generator is started, run and closed in one thread."""
    pump = _Pump(blocks)
    try:
        while not isinstance(block := await pump.queue.get(), _End):
            for item in block:
                yield item
        if block.error is not None:
            raise block.error
    finally:
        await pump.close()
