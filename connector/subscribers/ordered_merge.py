"""Documents of many sources that are read at a time, in the order of the sources."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from typing import TypeVar

from connector.aio.tasks import cancel_all
from connector.model import JSON

__all__ = ["merge_in_order"]

Source = TypeVar("Source")
AHEAD = 256
"""The most documents of a source that wait for the sources before it."""
END = object()


class _ReadAhead:
    """One source, read ahead of its turn."""

    def __init__(self, documents: AsyncGenerator[JSON, None]) -> None:
        self._queue: asyncio.Queue[JSON] = asyncio.Queue(AHEAD)
        self.task = asyncio.create_task(self._read(documents))

    async def _read(self, documents: AsyncGenerator[JSON, None]) -> None:
        try:
            async with aclosing(documents):
                async for document in documents:
                    await self._queue.put(document)
        finally:
            if not self._queue.full():
                self._queue.put_nowait(END)

    async def documents(self) -> AsyncGenerator[JSON, None]:
        while not (self.task.done() and self._queue.empty()):
            document = await self._queue.get()
            if document is END:
                break
            yield document
        await self.task


async def merge_in_order(
    sources: AsyncGenerator[Source, None],
    read: Callable[[Source], AsyncGenerator[JSON, None]],
    concurrency: int,
) -> AsyncGenerator[JSON, None]:
    """Yield the documents of every source, as if the sources were read one after the other.

    Args:
        sources: what is read, in order.
        read: yields the documents of a source.
        concurrency: the most sources that are read at a time.
    """
    readers: deque[_ReadAhead] = deque()
    try:
        async with aclosing(sources):
            async for source in sources:
                readers.append(_ReadAhead(read(source)))
                if len(readers) >= concurrency:
                    async for document in readers[0].documents():
                        yield document
                    readers.popleft()
        while readers:
            async for document in readers[0].documents():
                yield document
            readers.popleft()
    finally:
        await cancel_all(*(reader.task for reader in readers))
