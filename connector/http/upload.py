"""A request body on its way out: in pieces, watched, and honest about why it stopped."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterable, AsyncIterator, Callable

__all__ = ["Upload", "pieces"]

PIECE = 64 * 1024


class Upload:
    """The pieces of one body; a server that takes none of them for too long has its connection aborted."""

    def __init__(self, source: AsyncIterable[bytes], idle: float | None) -> None:
        self._source = source
        self._idle = idle
        self.abort: Callable[[], None] | None = None
        self.finished = False
        self.stalled = False
        self.failure: Exception | None = None

    async def __aiter__(self) -> AsyncIterator[bytes]:
        loop = asyncio.get_running_loop()
        try:
            async for piece in self._source:
                watch = loop.call_later(self._idle, self._give_up) if self._idle else None
                try:
                    yield piece
                finally:
                    if watch is not None:
                        watch.cancel()
        except Exception as exc:
            self.failure = exc
            raise
        self.finished = True

    def _give_up(self) -> None:
        self.stalled = True
        if self.abort is not None:
            self.abort()


async def pieces(data: bytes) -> AsyncIterator[bytes]:
    """A body from memory in pieces, so that a stalled reader is noticed."""
    view = memoryview(data)
    for start in range(0, len(view), PIECE):
        yield bytes(view[start : start + PIECE])
