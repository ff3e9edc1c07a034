"""Documents through steps that wait: many at a time, in order, and never more than the bound."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import AsyncIterable, AsyncIterator, Iterable
from typing import Any

from connector.model import JSON
from connector.transform.block import Block, gather_document, make_async
from connector.transform.context import Scope
from connector.transform.errors import Failed, Skipped
from connector.transform.types import Action, Gather

__all__ = ["stream_batches", "stream_block"]

Documents = AsyncIterable[JSON] | Iterable[JSON]
END: Any = object()


class Source:
    """Fetches documents one ahead, without blocking those in progress."""

    def __init__(self, documents: Documents) -> None:
        self._iterator = aiter(documents) if isinstance(documents, AsyncIterable) else None
        self._plain = iter(documents) if not isinstance(documents, AsyncIterable) else iter(())
        self.pending: asyncio.Task[JSON] | None = None
        self.ended = False

    def fetch(self) -> asyncio.Task[JSON]:
        """Return the task that fetches the next document; start it when there is none."""
        if self.pending is None:
            self.pending = asyncio.ensure_future(self._next())
        return self.pending

    def take(self) -> JSON:
        """Return the fetched document; END when there are no more."""
        document = self.pending.result() if self.pending else END
        self.pending = None
        self.ended = document is END
        return document

    async def _next(self) -> JSON:
        if self._iterator is None:
            return next(self._plain, END)
        return await anext(self._iterator, END)

    async def close(self) -> None:
        if self.pending is not None:
            self.pending.cancel()
            await asyncio.gather(self.pending, return_exceptions=True)
        close = getattr(self._iterator, "aclose", None)
        if close is not None:
            await close()


async def stream_block(block: Block, documents: Documents, scope: Scope) -> AsyncIterator[JSON]:
    """Yield the results of a block in the order of its documents."""
    source, running = Source(documents), deque[asyncio.Task[list[JSON]]]()
    most = scope.context.concurrency if block.awaits else 1
    try:
        while running or not source.ended:
            if len(running) < most and not source.ended:
                source.fetch()
            waited = {task for task in (source.pending, running[0] if running else None) if task}
            await asyncio.wait(waited, return_when=asyncio.FIRST_COMPLETED)
            if source.pending is not None and source.pending.done():
                document = source.take()
                if document is not END:
                    running.append(asyncio.ensure_future(_run_document(block, document, scope)))
            while running and running[0].done():
                for out in running.popleft().result():
                    yield out
    finally:
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)
        await source.close()


async def _run_document(block: Block, document: JSON, scope: Scope) -> list[JSON]:
    try:
        out = await make_async(block)(document, scope)
    except (Skipped, Failed) as signal:
        scope.report(document, signal)
        return []
    return list(out) if block.many else [out]


async def stream_batches(action: Action, gather: Gather, documents: Documents, scope: Scope) -> AsyncIterator[JSON]:
    """Yield the batches of these documents; one that is due does not wait for the next document."""
    source = Source(documents)
    try:
        while not source.ended:
            left = None if gather.due is None else max(gather.due - time.monotonic(), 0)
            done, _ = await asyncio.wait({source.fetch()}, timeout=left)
            if not done:
                batches = gather.rest()
            else:
                document = source.take()
                batches = gather.rest() if document is END else gather_document(gather, action, document, scope)
            for batch in batches:
                yield batch
    finally:
        await source.close()
